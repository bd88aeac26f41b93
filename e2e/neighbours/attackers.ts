import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';

/**
 * Five attackers in a process of their own, to be run at the lowest priority: a machine that runs attackers, service and stand-ins on the
 * same cores would else show how these share the cores, and not what the service does. Reads one line of JSON (Orders), makes what it will
 * send, writes {@link BEGUN}, attacks until its input ends, and writes the statuses that it got as one line of JSON.
 */
export interface Orders {
  url: string;
  /** Of the worker's health port. */
  health: string;
  keys: Readonly<Record<Name, string>>;
  /** Addresses that take connections and never answer. */
  hosts: readonly string[];
  /** The model whose name upstream repeats in what it refuses. */
  words: string;
}

/** What each attacker saw: status to how often; 0 is no answer. */
export type Seen = Readonly<Record<Name, Readonly<Record<string, number>>>>;

export const NAMES = ['words', 'gzip', 'storage', 'hooks', 'stranger'] as const;
export type Name = (typeof NAMES)[number];

/** Said when the attack begins. */
export const BEGUN = 'begun';

const MESSAGE = 'x'.repeat(31_000);
const longChat = (messages: number) => ({
  type: 'chat',
  input: { model: 'gemini-3.1-pro', messages: Array.from({ length: messages }, () => ({ role: 'user', content: MESSAGE })) },
});
const shortChat = (url: string, model = 'gemini-3.1-pro') => ({
  type: 'chat',
  input: { model, messages: [{ role: 'user', content: 'x' }] },
  ...(url === '' ? {} : { webhook: { url } }),
});

async function statusOf(sent: Promise<Response>): Promise<number> {
  const response = await sent;
  await response.arrayBuffer();
  return response.status;
}

function attacksOf({ url, health, keys, hosts, words }: Orders): Record<Name, (n: number) => Promise<number>> {
  const post = (name: Name, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    statusOf(
      fetch(`${url}/v1/jobs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keys[name]}`, 'content-type': 'application/json', ...headers },
        body,
      }),
    );
  const refused = JSON.stringify({ ...shortChat('', words), max_attempts: 1 });
  const bomb = new Uint8Array(gzipSync(JSON.stringify(longChat(600))));
  const large = JSON.stringify(longChat(32));
  const inside = JSON.stringify(shortChat(`${health}//`));
  return {
    words: () => post('words', refused, { prefer: 'wait=5' }),
    gzip: () => post('gzip', bomb, { 'content-encoding': 'gzip' }),
    storage: () => post('storage', large),
    hooks: (n) => post('hooks', JSON.stringify(shortChat(hosts[n % hosts.length] ?? '')), { prefer: 'wait=5' }),
    stranger: (n) => (n % 2 === 0 ? statusOf(fetch(`${health}//`)) : post('stranger', inside)),
  };
}

async function main(): Promise<void> {
  const input = createInterface({ input: process.stdin });
  let going = true;
  const orders = await new Promise<Orders>((resolve) => input.once('line', (line) => resolve(JSON.parse(line) as Orders)));
  input.once('close', () => {
    going = false;
  });
  const attacks = attacksOf(orders);
  process.stdout.write(`${BEGUN}\n`);
  const seen = await Promise.all(
    NAMES.map(async (name) => {
      const own: Record<string, number> = {};
      for (let n = 0; going; n += 1) {
        const status = await attacks[name](n).catch(() => 0);
        own[status] = (own[status] ?? 0) + 1;
      }
      return [name, own] as const;
    }),
  );
  process.stdout.write(`${JSON.stringify(Object.fromEntries(seen))}\n`);
}

if (import.meta.main) await main();
