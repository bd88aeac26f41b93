import { ENDPOINT_RULES } from '@grsai-jobs/jobs';
import { LRUCache } from 'lru-cache';

/** A wait that is likely to be longer than this is made in the queue, where it holds nothing. */
const LIKELY_WAIT_MS = 250;
/** None here is ever longer than this. The work between two tries counts in it too, and a busy worker is slow at it. */
const MAX_WAIT_MS = 1500;
/** An open try that is older than this says more than those that have ended. */
const OLD_TRY_MS = 1000;
/** What a receiver is thought to take before it has answered once. */
const FIRST_QUICK_MS = 5;
/** How fast a receiver that has become slow is believed to be so. */
const SLOWER = 0.05;
/** One that is forgotten while it is in use costs some requests to Redis, no more. */
const ENDPOINTS_KEPT = 10_000;

/** A place in front of an endpoint, which has to be left when the try is over. */
export interface Place {
  /** Whether it is one; whoever gave up waiting has none. */
  readonly free: boolean;
  /** Without a place: how long to wait in the queue, for a slot behind all who were told of one before. */
  slotMs(): number;
  /** How long the receiver took. */
  took(ms: number): void;
  /** Redis had no place: other workers hold some of the endpoint's. */
  refused(): void;
  /** Leaving twice is harmless. */
  leave(): void;
}

export interface EndpointGate {
  /**
   * Resolves when this worker has a place of the endpoint's free, or has given up waiting for one: Redis decides over all
   * workers either way.
   */
  enter(endpoint: string): Promise<Place>;
}

/** How many tries may be open at once: a few to begin with and after a slow one, and more with each quick one. */
interface Places {
  few: number;
  most: number;
  /** How much of a place each try gives: one that Redis once refused or, when it was quick, one more. */
  more: number;
}

const ENDPOINT_PLACES: Places = { few: ENDPOINT_RULES.openTries, most: ENDPOINT_RULES.openTries, more: 0.1 };

/**
 * What one host and port may have of a worker's places. An address can be made for each webhook, and then each is an endpoint of
 * its own: without this a host that hangs would have all of them. One that is quick is not held up, and never has the last ones.
 */
export const hostPlaces = (concurrency: number): Places => ({
  few: Math.max(ENDPOINT_RULES.openTries, Math.floor(concurrency * 0.2)),
  most: Math.max(ENDPOINT_RULES.openTries, Math.floor(concurrency * 0.8)),
  more: 1,
});

/** One worker's tries to one endpoint. */
interface Line {
  /** When each open try began, the oldest first. */
  open: number[];
  /** As many as this worker has room for; other workers have the rest. */
  places: number;
  /** How quick the receiver can be. The mean would be as much about how busy this worker is. */
  quickMs: number;
  waiting: Set<() => void>;
  /** When the last slot is that somebody without a place was told of. */
  lastSlot: number;
}

/**
 * The short line in front of an endpoint, inside one worker. A quick receiver of many webhooks frees its places every few
 * milliseconds: waiting for one here costs nothing, where a wait in the queue costs some requests to Redis. Who would wait
 * longer goes on at once and is given a slot there, so that a hanging receiver holds its five places and no more.
 *
 * @param places asked each time, since operators change how many there are.
 */
export function createEndpointGate(places: () => Places = () => ENDPOINT_PLACES): EndpointGate {
  const lines = new LRUCache<string, Line>({ max: ENDPOINTS_KEPT });

  const now = (): number => performance.now();

  const isFree = (line: Line): boolean => line.open.length < Math.max(1, Math.floor(Math.min(line.places, places().most)));

  /** How often a place becomes free. */
  const gapMs = (line: Line): number => {
    const age = now() - (line.open[0] ?? now());
    return Math.max(line.quickMs, age > OLD_TRY_MS ? age : 0) / line.places;
  };

  const likelyMs = (line: Line): number => gapMs(line) * (line.waiting.size + 1);

  const noPlace = (line: Line): Place => ({
    free: false,
    slotMs: () => {
      line.lastSlot = Math.max(line.lastSlot, now()) + Math.min(gapMs(line), ENDPOINT_RULES.maxGapMs);
      return Math.max(Math.ceil(line.lastSlot - now()), ENDPOINT_RULES.minWaitMs);
    },
    took: () => {},
    refused: () => {},
    leave: () => {},
  });

  function wakeNext(line: Line): void {
    for (const next of line.waiting) {
      if (!isFree(line)) return;
      next();
    }
  }

  function take(line: Line): Place {
    const began = now();
    let left = false;
    line.open.push(began);
    return {
      free: true,
      slotMs: () => 0,
      took: (ms) => {
        line.quickMs = Math.min(ms, line.quickMs + SLOWER * ms);
        const { few, most, more } = places();
        line.places = Math.min(ms < OLD_TRY_MS ? most : few, line.places + more);
      },
      refused: () => {
        line.places = Math.max(1, line.places - 1);
      },
      leave: () => {
        if (left) return;
        left = true;
        line.open.splice(line.open.indexOf(began), 1);
        wakeNext(line);
      },
    };
  }

  function waitFor(line: Line): Promise<Place> {
    return new Promise((resolve) => {
      const end = (place: () => Place) => () => {
        clearTimeout(timer);
        line.waiting.delete(woken);
        resolve(place());
      };
      const woken = end(() => take(line));
      const timer = setTimeout(
        end(() => noPlace(line)),
        MAX_WAIT_MS,
      );
      line.waiting.add(woken);
    });
  }

  return {
    async enter(endpoint) {
      const fresh: Line = { open: [], places: places().few, quickMs: FIRST_QUICK_MS, waiting: new Set(), lastSlot: 0 };
      const line = lines.get(endpoint) ?? fresh;
      lines.set(endpoint, line);
      if (isFree(line)) return take(line);
      return likelyMs(line) > LIKELY_WAIT_MS ? noPlace(line) : await waitFor(line);
    },
  };
}
