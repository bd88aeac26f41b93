import type { Paces } from '@grsai-jobs/job-store';
import { type Durations, durationBucket, durationsOf, UNKNOWN_DURATIONS } from '@grsai-jobs/jobs';
import type { Timers } from '@grsai-jobs/runtime';

const FLUSH_EVERY_MS = 5000;
/** In flushes: what other workers have learned is read this often. */
const READ_EVERY = 6;

/** How long image tasks take, by kind (`durationKind`). Kept in memory, so that no poll costs a round trip for it. */
export interface LearnedPace {
  readonly name: string;
  /** `UNKNOWN_DURATIONS` until enough tasks of the kind are known. */
  durations(kind: string): Durations;
  /** A task of the kind ended well after `ms`. Written some seconds later, together with others. */
  learn(kind: string, ms: number): void;
  /** Writes what was learned last. */
  stop(): Promise<void>;
}

/**
 * Learns with all other workers: what this one has seen is written every 5 s, what all have seen is read every 30 s. It is
 * never more than a hint, so what Redis does not take is dropped and said to `onError`.
 */
export function createLearnedPace(paces: Paces, onError: (error: Error) => void, timers: Pick<Timers, 'every'>): LearnedPace {
  const unwritten = new Map<string, Map<number, number>>();
  let known = new Map<string, Durations>();

  async function read(): Promise<void> {
    const all = await paces.all();
    known = new Map([...all].map(([kind, histogram]) => [kind, durationsOf(histogram)]));
  }

  async function write(): Promise<void> {
    const learned = [...unwritten];
    unwritten.clear();
    await Promise.all(learned.map(([kind, counts]) => paces.learn(kind, counts)));
  }

  let rounds = 0;
  const end = timers.every(FLUSH_EVERY_MS, () => {
    rounds += 1;
    write().catch(onError);
    if (rounds % READ_EVERY === 0) read().catch(onError);
  });
  read().catch(onError);

  return {
    name: 'learned pace',
    durations: (kind) => known.get(kind) ?? UNKNOWN_DURATIONS,
    learn(kind, ms) {
      const counts = unwritten.get(kind) ?? new Map<number, number>();
      unwritten.set(kind, counts);
      const bucket = durationBucket(ms);
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    },
    stop: async () => {
      end();
      await write();
    },
  };
}
