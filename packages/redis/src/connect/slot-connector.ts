import net from 'node:net';
import tls from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from './address.ts';

/** A node as `CLUSTER SLOTS` names it: host, port, id. */
type Node = readonly [host: string | null, port: number, ...unknown[]];
type Range = readonly [first: number, last: number, primary: Node, ...replicas: Node[]];

const AGAIN_MS = 500;
const ANSWER_WITHIN_MS = 2000;

/**
 * Finds the node of a Cluster that owns the slot of `tag`, anew for each connection. All keys of one kind stand in one slot, so a connection to
 * its owner does all that one to a single server does; a `MOVED` answer has it made anew.
 */
export function slotConnector(address: RedisAddress, tag: string, login: Pick<RedisOptions, 'username' | 'password' | 'tls'>) {
  return class SlotConnector extends AbstractConnector {
    readonly #options: RedisOptions;
    #nodes = [...address.nodes];

    constructor(options: unknown) {
      super((options as RedisOptions).disconnectTimeout ?? ANSWER_WITHIN_MS);
      this.#options = options as RedisOptions;
    }

    /** One that was the owner until now is a replica. */
    override check({ role }: { role?: string }): boolean {
      return role === undefined || role === 'master';
    }

    override async connect(emit: (type: string, error: Error) => void) {
      this.connecting = true;
      for (;;) {
        for (const node of this.#nodes) {
          const owner = await this.#ownerBy(node).catch((error: Error) => emit('error', error));
          if (!this.connecting) throw new Error('Connection is closed.');
          if (owner) return this.#open(owner);
        }
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }

    #open(owner: { host: string; port: number }) {
      const stream = login.tls === undefined ? net.connect(owner) : tls.connect({ ...owner, ...login.tls });
      stream.once('error', (error: Error) => {
        this.firstError = error;
      });
      this.stream = stream;
      return stream;
    }

    async #ownerBy(node: { host: string; port: number }): Promise<{ host: string; port: number }> {
      const asked = new Redis({
        ...{ ...node, ...login, family: this.#options.family ?? 0, connectTimeout: ANSWER_WITHIN_MS },
        ...{ commandTimeout: ANSWER_WITHIN_MS, retryStrategy: () => null, enableReadyCheck: false, maxRetriesPerRequest: 0 },
      });
      asked.on('error', () => undefined);
      try {
        const slot = Number(await asked.call('CLUSTER', 'KEYSLOT', tag));
        const ranges = (await asked.call('CLUSTER', 'SLOTS')) as Range[];
        // An answer without a host means the node that was asked.
        const at = ([host, port]: Node) => ({ host: host === null || host === '' ? node.host : host, port });
        const owner = ranges.find(([first, last]) => first <= slot && slot <= last)?.[2];
        if (owner === undefined) throw new Error(`CLUSTERDOWN nobody owns the slot of ${tag}`);
        const known = ranges.flatMap(([, , ...nodes]) => nodes.map(at));
        this.#nodes = unique([...known, ...address.nodes]);
        return at(owner);
      } finally {
        asked.disconnect();
      }
    }
  };
}

const unique = (nodes: readonly { host: string; port: number }[]) => [
  ...new Map(nodes.map((node) => [`${node.host}:${node.port}`, node])).values(),
];
