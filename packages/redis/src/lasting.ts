import { createHash } from 'node:crypto';
import type { Redis } from './client.ts';
import { createPrimary } from './primary.ts';

/**
 * Resolves when everything that was written before it was called, on this primary and over any connection, will be there after a failover.
 * @param identity of the primary that has answered the write, as `Primary` has it.
 * @param reply what the write has answered, for whoever catches the error.
 * @throws {NotLasting}
 */
export type Lasting = (identity: string, reply: unknown) => Promise<void>;

/** It was written, and nobody knows whether it lasts: no replica has it in time, or another server is the primary by now. */
export class NotLasting extends Error {
  override name = 'NotLasting';
  readonly reply: unknown;

  constructor(why: string, reply: unknown) {
    super(`what was written may not last: ${why}`);
    this.reply = reply;
  }
}

/** What a replica may take to have it. It has it within a millisecond or two as long as it is well. */
const REPLICA_WITHIN_MS = 1000;

/** `waits`: so many replicas have it. Anything else is why it may not last. */
type Outcome = { readonly replicas: number } | { readonly why: string };

const UNKNOWN = Symbol('this primary does not know the script');

function ifUnknown(error: unknown): typeof UNKNOWN {
  if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return UNKNOWN;
  throw error;
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * One write and one `WAIT` for all who ask within one turn of the event loop, and for all who ask while those before them are waiting. It has a
 * connection of its own, since WAIT holds up what comes behind it. The write is a script in the name of the primary that has
 * answered: another one does not know it.
 *
 * @param redis for this alone; it must not send again by itself what was not answered.
 * @param o.key any of the installation; it holds nothing of value.
 * @param o.replicas that have to have it.
 */
export function createReplicaLasting(
  redis: Redis,
  { key, replicas: wanted = 1, turn = nextTurn }: { key: string; replicas?: number; turn?: () => Promise<void> },
): Lasting {
  const primary = createPrimary(redis);
  /** Those who wait for the next write, by the primary that they mean. */
  const next = new Map<string, Promise<Outcome>>();
  let last: Promise<unknown> = Promise.resolve();

  const waits = () => redis.wait(wanted, REPLICA_WITHIN_MS);

  async function outcome(identity: string): Promise<Outcome> {
    const text = `#!lua flags=allow-oom\nlocal PRIMARY = '${identity}'\nreturn redis.call('SET', KEYS[1], 1)`;
    const sha = createHash('sha1').update(text).digest('hex');
    try {
      const [marked, replicas] = await Promise.all([redis.evalsha(sha, 1, key).catch(ifUnknown), waits()]);
      if (marked !== UNKNOWN) return { replicas };
      if ((await primary.ask()) !== identity) return { why: 'another server is the primary' };
      await redis.eval(text, 1, key);
      return { replicas: await waits() };
    } catch (error) {
      return { why: error instanceof Error ? error.message : String(error) };
    }
  }

  function shared(identity: string): Promise<Outcome> {
    const waiting = next.get(identity);
    if (waiting !== undefined) return waiting;
    const own = last.then(turn).then(() => {
      next.delete(identity);
      return outcome(identity);
    });
    next.set(identity, own);
    last = own;
    return own;
  }

  return async (identity, reply) => {
    const found = await shared(identity);
    if ('why' in found) throw new NotLasting(found.why, reply);
    if (found.replicas < wanted)
      throw new NotLasting(`${found.replicas} of ${wanted} replicas had it within ${REPLICA_WITHIN_MS} ms`, reply);
  };
}
