import type { Job, Worker } from 'bullmq';

/** A lock lasts for at least so many round trips to Redis. */
const ROUND_TRIPS = 10;

export interface Locks {
  /** What becomes of the entry is said: its lock is needed no more. */
  letGo(job: Job): void;
}

/**
 * Renews the locks of what a worker has in hand, from the moment that it takes an entry. BullMQ itself begins with its handler: it first takes one
 * entry after the other for all free slots, which far from Redis lasts longer than a lock, and it measures by the clock of the machine, which can
 * be set back (*read in its source*, bullmq 6.7). A lock is renewed when a quarter of its time is over; nothing is sent while nothing is held.
 * The worker must not renew by itself (`skipLockRenewal`).
 * @param o.lockMs how long a lock lasts, near to Redis
 * @param o.roundTripMs how far Redis is
 */
export function keepLocks(
  worker: Worker,
  o: { lockMs: number; roundTripMs?: (() => number) | undefined; onError: (error: Error) => void },
): Locks {
  /** With the moment at which each was taken or last renewed. */
  const held = new Map<Job, number>();
  let waits = false;
  const lockMs = () => Math.ceil(Math.max(o.lockMs, ROUND_TRIPS * (o.roundTripMs?.() ?? 0)));

  /** Also of what is taken next. */
  const follow = (): number => {
    const ms = lockMs();
    worker.opts.lockDuration = ms;
    return ms;
  };

  const wait = () => {
    if (waits) return;
    waits = true;
    setTimeout(() => void renew(), follow() / 4).unref();
  };

  async function renew(): Promise<void> {
    const ms = follow();
    const now = performance.now();
    const old = [...held].flatMap(([job, since]) => (since + ms / 4 <= now ? [job] : []));
    for (const job of old) held.set(job, now);
    try {
      const lost = old.length === 0 ? [] : await worker.extendJobLocks(...idsAndTokens(old), ms);
      for (const job of old.filter(({ id = '' }) => lost.includes(id))) {
        // Otherwise it was said meanwhile what becomes of it.
        if (held.delete(job)) o.onError(new Error(`could not renew lock for job ${job.id}`));
      }
    } catch (error) {
      o.onError(error instanceof Error ? error : new Error(String(error)));
    }
    waits = false;
    if (held.size > 0) wait();
  }

  follow();
  worker.on('active', (job) => {
    held.set(job, performance.now());
    wait();
  });
  // One that BullMQ itself ends comes to no handler.
  worker.on('failed', (job) => job && held.delete(job));
  return { letGo: (job) => void held.delete(job) };
}

const idsAndTokens = (jobs: readonly Job[]): [ids: string[], tokens: string[]] => [
  jobs.map(({ id = '' }) => id),
  jobs.map(({ token = '' }) => token),
];
