import type { Redis } from 'ioredis';
import { hear } from './hear.ts';
import { createKeys, type Keys } from './keys.ts';

export type CancelSignals = ReturnType<typeof createCancelSignals>;

/** Tells all workers that an open call is to be aborted. No more than a hint: the record is the truth, and it says `canceling`. */
export function createCancelSignals(redis: Redis, keys: Keys) {
  return {
    async send(jobId: string): Promise<void> {
      await redis.publish(keys.cancels, jobId);
    },
  };
}

/**
 * Hears of each job whose open call is to be aborted.
 * @param o.redis a connection that listens; it takes no other commands.
 * @param o.onListening called when listening begins, and again each time the connection came back: signals may have been missed.
 */
export const hearCancels = (o: {
  redis: Redis;
  prefix: string;
  onCancel: (jobId: string) => void;
  onListening: () => void;
  onError: (error: Error) => void;
}): Promise<void> => hear({ ...o, channel: createKeys(o.prefix).cancels, onMessage: o.onCancel });
