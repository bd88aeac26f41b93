import type { QueueName } from '@grsai-jobs/jobs';
import type { RunScript } from '@grsai-jobs/redis';
import type { Clock } from '@grsai-jobs/runtime';
import * as scripts from './scripts.ts';
import type { WakeUps } from './wake-ups.ts';

/** What one process needs to use a queue. */
export interface LineDeps {
  readonly run: RunScript;
  readonly clock: Clock;
  readonly signal: WakeUps;
}

/** An entry that was taken, under a lock. */
export interface Taken {
  readonly id: string;
  readonly name: string;
  /** JSON. */
  readonly data: string;
  /** A lock of it has ended before its process had said what becomes of it. */
  readonly stalled: boolean;
  readonly token: string;
}

/** What a look at the queue has come to. */
export interface Found {
  readonly taken: Taken | null;
  /** How many more could be taken. */
  readonly ready: number;
  /** For how long the queue is limited. */
  readonly limitMs: number;
}

interface NewEntry {
  /** `''`: it gets a number. */
  readonly id: string;
  readonly name: string;
  readonly data: string;
  /** 0: before all that have one. */
  readonly priority: number;
  readonly delayMs: number;
}

/** How an entry is left. */
export type Leaving =
  | { readonly as: 'done' }
  | { readonly as: 'wait'; readonly ms: number }
  | { readonly as: 'failed'; readonly reason: string };

/** What a process says of an entry whose lock it has no more. Nothing has changed. */
class LockLost extends Error {
  override readonly name = 'LockLost';
}

const LOST: ReadonlyMap<unknown, string> = new Map([
  [-1, 'it is gone'],
  [-2, 'its lock is over'],
  [-6, 'another process has it'],
]);

/** How a consumer takes entries. */
export interface Taking {
  readonly lockMs: number;
  /** Whether the queue can be throttled. */
  readonly limited: boolean;
}

/** One queue, as one process uses it. Each method is one round trip; whatever becomes ready by it wakes consumers. */
export interface Line {
  readonly keys: scripts.QueueKeys;
  add(entries: readonly NewEntry[]): Promise<void>;
  take(o: Taking & { readonly token: string }): Promise<Found>;
  /**
   * The slot takes the next entry under the lock `next`, or none (`''`).
   * @throws when the lock is lost
   */
  leave(taken: Taken, leaving: Leaving, o: Taking & { readonly next: string }): Promise<Found>;
  /** @throws when the lock is lost; the limit stands then all the same. */
  throttle(taken: Taken, ms: number): Promise<Found>;
  /** Answers the ids whose lock is lost. */
  renew(held: readonly Taken[], lockMs: number): Promise<string[]>;
  /** Entries whose lock is over come back. */
  findStalled(stalledMs: number): Promise<void>;
  wake(id: string): Promise<void>;
  schedule(tasks: readonly { readonly name: string; readonly everyMs: number }[]): Promise<void>;
  /** Wakes consumers when there is anything for them. */
  look(): Promise<void>;
}

export function createLine(name: QueueName, base: string, { run, clock, signal }: LineDeps): Line {
  const keys = scripts.keysOf(base);
  const now = () => Math.floor(clock.now());
  const raise = (ready: unknown) => signal.raise(name, ready as number);

  /** A script that may have made entries ready, although its answer was lost. */
  async function raising(sent: Promise<unknown>): Promise<void> {
    try {
      raise(await sent);
    } catch (error) {
      raise(1);
      throw error;
    }
  }

  function found(reply: unknown, token: string): Found {
    const [id, limitMs, due, ready, entryName, data, stalled] = reply as [string, number, number, number, string, string, string];
    if (due > 0) signal.due(name, due - clock.now());
    const taken = id === '' ? null : { id, name: entryName, data, stalled: stalled !== '0', token };
    return { taken, ready, limitMs };
  }

  function unlessLost(id: string, reply: unknown): unknown {
    const lost = LOST.get(reply);
    if (lost !== undefined) throw new LockLost(`what was said of ${id} does not count: ${lost}`);
    return reply;
  }

  const asked = ({ lockMs, limited }: Taking) => ({ now: now(), lockMs, limited: limited ? 1 : 0 });

  return {
    keys,
    async add(entries) {
      const at = now();
      const values: (string | number)[] = [];
      for (const { id, name: entryName, data, priority, delayMs } of entries) {
        values.push(id, entryName, data, priority, delayMs > 0 ? Math.ceil(at + delayMs) : 0);
        if (delayMs > 0) signal.due(name, delayMs);
      }
      await raising(run(scripts.ADD, keys, { now: at, entries: values }));
    },
    take: async (o) => found(await run(scripts.TAKE_ONE, keys, { ...asked(o), token: o.token }), o.token),
    async leave({ id, token }, leaving, o) {
      // Time stands still while nothing waits for it: an entry that came back in the same moment would do so for ever.
      const detail =
        leaving.as === 'wait' ? Math.ceil(now() + Math.max(1, leaving.ms)) : leaving.as === 'failed' ? leaving.reason : '';
      const args = { ...asked(o), next: o.next, id, token, as: leaving.as, detail };
      return found(unlessLost(id, await run(scripts.LEAVE, keys, args)), o.next);
    },
    throttle: async ({ id, token }, ms) => found(unlessLost(id, await run(scripts.THROTTLE, keys, { id, token, ms })), ''),
    renew: async (held, lockMs) =>
      (await run(scripts.RENEW, keys, { lockMs, held: held.flatMap(({ id, token }) => [id, token]) })) as string[],
    findStalled: (stalledMs) => raising(run(scripts.STALLED, keys, { stalledMs })),
    wake: (id) => raising(run(scripts.WAKE, keys, { id })),
    schedule: (tasks) =>
      raising(run(scripts.SCHEDULE, keys, { now: now(), rules: tasks.flatMap((task) => [task.name, task.everyMs]) })),
    look: () => raising(run(scripts.READY, keys, {})),
  };
}
