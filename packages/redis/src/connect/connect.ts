import { type Command, Redis, type RedisOptions } from 'ioredis';
import { type RedisAddress, readRedisAddress } from './address.ts';
import { LastingSentinelConnector } from './sentinel-connector.ts';
import { slotConnector } from './slot-connector.ts';
import { isRefusedForNow } from './trouble.ts';

/**
 * Connections by role. A producer (the API) fails fast: with Redis away a request is refused at once and never hangs.
 * A consumer (the worker) waits: what it has to write down is sent again until Redis takes it, whether Redis is away or refuses writes for now.
 */
export type Role = 'producer' | 'consumer';

const reconnectMs = (times: number): number => Math.min(1000, 50 * 2 ** Math.min(times, 5));

/**
 * After a failover the old primary answers READONLY, and a node of a Cluster that has given our slot away MOVED: leave it, and have a
 * consumer's command sent again to the one in its place.
 */
const leaveReplica = (error: Error, resend: boolean): boolean | 1 | 2 => {
  if (!/^(READONLY|MOVED)\b/.test(error.message)) return false;
  return resend ? 2 : 1;
};

const KEEP_ALIVE_MS = 10_000;

/**
 * A machine that is gone closes nothing, and the system would notice after a quarter of an hour. A connection that owes answers
 * and has sent nothing for this long is made anew. A consumer's commands wait in Redis for up to 10 s by themselves.
 */
const SILENT_MS = { producer: 6000, consumer: 30_000 } as const satisfies Record<Role, number>;

/** How long answers may take, in place of what the role has. */
export type Silence = Pick<RedisOptions, 'commandTimeout' | 'socketTimeout'>;

const OPTIONS: Readonly<Record<Role, Omit<RedisOptions, 'replyMapping'>>> = {
  producer: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: 2000,
    commandTimeout: 5000,
    socketTimeout: SILENT_MS.producer,
    keepAlive: KEEP_ALIVE_MS,
    reconnectOnError: (error: Error) => leaveReplica(error, false),
    retryStrategy: reconnectMs,
  },
  consumer: {
    maxRetriesPerRequest: null,
    connectTimeout: 5000,
    socketTimeout: SILENT_MS.consumer,
    keepAlive: KEEP_ALIVE_MS,
    reconnectOnError: (error: Error) => leaveReplica(error, true),
    retryStrategy: reconnectMs,
  },
};

/** After a refusal that does not last a script is sent again. */
const AGAIN_MS = 250;

/** A command that has been sent. */
type Item = Parameters<Redis['handleReconnection']>[1];

/** What is sent in one turn of the event loop goes out in one write: of many small ones the system's part is the largest. */
class Connection extends Redis {
  readonly #waits: boolean;
  #held = false;

  constructor(options: Omit<RedisOptions, 'replyMapping'>, role: Role) {
    super(options);
    this.#waits = role === 'consumer';
  }

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    if (!this.#held && this.status === 'ready') this.#hold();
    return super.sendCommand(...args);
  }

  #hold(): void {
    const { stream } = this;
    this.#held = true;
    stream.cork();
    setImmediate(() => {
      this.#held = false;
      stream.uncork();
    });
  }

  /** A script that Redis refuses to begin for now has changed nothing: whoever waits for Redis waits for that too. */
  override handleReconnection(error: Error, item: Item): void {
    // One of a pipeline is answered with the others of it.
    const own = item.stream === undefined && /^eval(sha)?$/.test(item.command.name);
    const again = this.#waits && own && isRefusedForNow(error) && !leaveReplica(error, true);
    if (!again) {
      super.handleReconnection(error, item);
      return;
    }
    this.emit('refused', error);
    setTimeout(() => this.sendCommand(item.command as Command), AGAIN_MS);
  }
}

export interface ConnectOptions extends Silence {
  /** Trouble that the connection waits out by itself. */
  onError: (error: Error) => void;
  /** The hash tag of all keys that this connection is for: in a Cluster it leads to the node that owns them, and has to be there. */
  tag?: string;
  waitMs?: number;
}

/** How ioredis is told where to connect. */
function whereTo(address: RedisAddress, tag: string | undefined): Omit<RedisOptions, 'replyMapping'> {
  const { kind, nodes, username, password, db, name, sentinel } = address;
  const login = { ...defined({ username, password }), ...(address.tls ? { tls: {} } : {}) };
  if (kind === 'cluster' && tag === undefined) throw new Error('a connection to a Cluster needs the tag of its keys');
  if (kind === 'cluster') return { ...login, Connector: slotConnector(address, tag ?? '', login) };
  if (kind === 'single') return { ...login, ...nodes[0], db };
  return {
    ...{ ...login, db, name, sentinels: nodes.map((node) => ({ ...node })), failoverDetector: true },
    Connector: LastingSentinelConnector,
    ...defined({ sentinelUsername: sentinel.username, sentinelPassword: sentinel.password }),
    ...(address.tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    sentinelCommandTimeout: 2000,
  };
}

const defined = <T extends object>(fields: T): Partial<{ [K in keyof T]: NonNullable<T[K]> }> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;

/** Whether records and queues can stand on two servers, so that each needs a connection of its own. */
export const isCluster = (url: string): boolean => readRedisAddress(url).kind === 'cluster';

/**
 * Connects and waits up to `waitMs` for the first `ready`; afterwards the connection comes back by itself, to the primary of then.
 * @throws when Redis cannot be reached in that time, or is none that takes our writes; the message names no password.
 */
export async function connectRedis(url: string, role: Role, o: ConnectOptions): Promise<Redis> {
  const { onError, tag, waitMs = 10_000, ...silence } = o;
  const address = readRedisAddress(url);
  const redis = new Connection({ ...OPTIONS[role], ...silence, ...whereTo(address, tag) }, role);
  let last: Error | undefined;
  redis.on('error', (error: Error) => {
    last = error;
    onError(error);
  });
  redis.on('refused', onError);
  try {
    await ready(redis, waitMs, () => notReached(address, waitMs, last));
    await checkServer(redis, address);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return redis;
}

function ready(redis: Redis, waitMs: number, late: () => Error): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), waitMs);
    redis.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const KINDS = { single: 'Redis', sentinel: 'Sentinels of Redis', cluster: 'Redis Cluster' } as const;

/** What the last error before the first `ready` means. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/\b(NOAUTH|WRONGPASS)\b/, 'it refuses this user name or password'],
  [/cluster support disabled/, 'this Redis is no node of a Cluster: write redis:// in REDIS_URL'],
  [/invalid reply|No such master/, 'they know no primary of this name: see SENTINEL MASTERS'],
  [/NOPERM/, 'the user may not ask for this: see docs/operations.md, “The user of Redis”'],
];

function notReached({ kind, nodes }: RedisAddress, waitMs: number, last: Error | undefined): Error {
  const hosts = nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(', ');
  const said = last === undefined ? '' : `: ${last.message}`;
  const meaning = MEANINGS.find(([words]) => words.test(said))?.[1];
  const advice = meaning === undefined ? '. Is it running, and is REDIS_URL right?' : ` (REDIS_URL: ${meaning})`;
  return new Error(`${KINDS[kind]} at ${hosts} could not be reached within ${waitMs} ms${said}${advice}`);
}

/** A server that answers and is not the one that is meant would refuse every write, or some of them. */
async function checkServer(redis: Redis, { kind }: RedisAddress): Promise<void> {
  const info = await redis.info();
  const is = (line: string) => new RegExp(`^${line}\\r?$`, 'm').test(info);
  if (is('role:slave'))
    throw new Error(
      'REDIS_URL: this Redis is a replica, which takes no writes: give the address of its primary, or of its Sentinels (redis+sentinel://…)',
    );
  if (kind !== 'cluster' && is('cluster_enabled:1'))
    throw new Error('REDIS_URL: this Redis is a node of a Cluster, which owns only some of the keys: write redis+cluster://…');
}
