import type { EndTimer, Timers } from '@grsai-jobs/runtime';
import type { Taken } from './line.ts';

/** Keeps the locks of what one consumer has in hand. */
export interface Locks {
  hold(taken: Taken): void;
  /** What becomes of it is said next. */
  letGo(taken: Taken): void;
}

/** As BullMQ: a lock is renewed when a quarter of its time is over, and nothing is sent while nothing is held. */
export function createLocks(o: {
  readonly timers: Timers;
  readonly lockMs: number;
  /** Answers the ids whose lock is lost. */
  readonly renew: (held: readonly Taken[]) => Promise<string[]>;
  readonly onError: (error: Error) => void;
}): Locks {
  const { timers, lockMs } = o;
  /** With the moment at which each was taken or last renewed. */
  const held = new Map<Taken, number>();
  let timer: EndTimer | null = null;

  const wait = () => {
    timer = timers.after(lockMs / 4, () => void renew());
  };

  async function renew(): Promise<void> {
    const now = timers.elapsed();
    const old = [...held].filter(([, since]) => since + lockMs / 4 <= now).map(([taken]) => taken);
    for (const taken of old) held.set(taken, now);
    try {
      const lost = old.length === 0 ? [] : await o.renew(old);
      for (const id of lost) o.onError(new Error(`could not renew lock for job ${id}`));
    } catch (error) {
      o.onError(error as Error);
    }
    timer = null;
    if (held.size > 0) wait();
  }

  return {
    hold: (taken) => {
      held.set(taken, timers.elapsed());
      if (timer === null) wait();
    },
    letGo: (taken) => void held.delete(taken),
  };
}
