import { setImmediate } from 'node:timers/promises';

/** Long work on one request holds the loop for this long at most before others have their turn. */
const SLICE_MS = 4;

export interface Slices {
  over(): boolean;
  next(): Promise<void>;
}

/** Asked often by a loop: lets the other requests have a turn when this one has had its time. */
export function createSlices(now: () => number = () => performance.now()): Slices {
  let since = now();
  return {
    over: () => now() - since >= SLICE_MS,
    next: async () => {
      await setImmediate();
      since = now();
    },
  };
}
