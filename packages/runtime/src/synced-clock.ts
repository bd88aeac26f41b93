import type { Clock } from './clock.ts';
import type { Service } from './lifecycle.ts';
import type { Timers } from './timers.ts';

/** A process whose own clock differs by more than this from that of Redis, in ms, takes no work and erases nothing. */
export const CLOCKS_AGREE_MS = 5000;

const SYNC_EVERY_MS = 5000;
/** Redis says its time in whole milliseconds here and there. */
const ROUNDED_MS = 1;
/** How many round trips are remembered: those of the last minute. */
const TRIPS_KEPT = 12;

/**
 * The time of Redis, as a process knows it: what Redis said at the last sync, and what has passed since by a clock that nobody sets. So a
 * wrong clock of the machine makes nothing expire, and signs nothing with a time that others refuse.
 */
export interface SyncedClock extends Clock, Service {
  /** Asks Redis now. Rejects when it does not answer. */
  sync(): Promise<void>;
  /** By how many ms the own clock of the process is ahead of that of Redis; negative: behind. */
  aheadMs(): number;
  /** Why this process must take no work and erase nothing; `undefined`: both clocks agree. */
  trouble(): string | undefined;
  /** The longest round trip to Redis of the last minute, in ms; 0 before the first sync. */
  roundTripMs(): number;
}

/** Where Redis' clock stands against the elapsed time of this process, and how exactly that is known. */
interface Known {
  readonly offset: number;
  readonly within: number;
}

/**
 * Syncs every 5 s from its first `sync` on. Until then its time is that of the machine, and it says so as its trouble.
 * @param o.readTime what Redis says, in ms since 1970
 * @param o.wall the clock of the machine
 */
export function createSyncedClock(o: {
  readTime: () => Promise<number>;
  wall: Clock;
  timers: Pick<Timers, 'elapsed' | 'every'>;
  onError: (error: Error) => void;
}): SyncedClock {
  const { timers, wall } = o;
  let known: Known | undefined;
  let trips: readonly number[] = [];
  let end: (() => void) | undefined;
  let stopped = false;
  let syncing: Promise<void> | undefined;

  async function read(): Promise<void> {
    const sent = timers.elapsed();
    const said = await o.readTime();
    const trip = timers.elapsed() - sent;
    trips = [...trips.slice(1 - TRIPS_KEPT), trip];
    known = better(known, said - sent, trip);
  }

  const sync = (): Promise<void> => {
    syncing ??= read().finally(() => {
      syncing = undefined;
    });
    if (!stopped) end ??= timers.every(SYNC_EVERY_MS, () => void sync().catch(o.onError));
    return syncing;
  };
  const now = () => (known === undefined ? wall.now() : Math.floor(timers.elapsed() + known.offset));
  const aheadMs = () => wall.now() - now();

  return {
    name: 'clock',
    now,
    sync,
    aheadMs,
    trouble() {
      if (known === undefined) return 'the time of Redis is not known yet';
      const ahead = aheadMs();
      return Math.abs(ahead) <= CLOCKS_AGREE_MS ? undefined : disagreement(ahead);
    },
    roundTripMs: () => Math.max(0, ...trips),
    stop: async () => {
      stopped = true;
      end?.();
    },
  };
}

/**
 * What Redis said was so at some moment of the round trip. What was known before stays while it fits and was measured in a shorter one;
 * otherwise one of both clocks has drifted, or was set.
 */
function better(before: Known | undefined, latest: number, trip: number): Known {
  const fits = before !== undefined && before.offset <= latest + ROUNDED_MS && before.offset >= latest - trip - ROUNDED_MS;
  if (fits && before.within <= trip) return before;
  return { offset: latest - trip / 2, within: trip };
}

function disagreement(ahead: number): string {
  const seconds = Math.abs(ahead) / 1000;
  const [unit, size] =
    seconds < 120 ? ['s', 1] : seconds < 7200 ? ['min', 60] : seconds < 172_800 ? ['h', 3600] : ['days', 86_400];
  const by = `${Math.round((seconds / (size as number)) * 10) / 10} ${unit}`;
  return `The clock of this machine is ${by} ${ahead > 0 ? 'ahead of' : 'behind'} that of Redis. Beyond ${CLOCKS_AGREE_MS / 1000} s this process takes no work and erases nothing: set both machines by NTP. Which of the two is wrong this process cannot know.`;
}
