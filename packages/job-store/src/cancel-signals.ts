import type { Redis } from 'ioredis';
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
 * @param o.redis a connection for this alone: one that listens takes no other commands.
 * @param o.onListening called when listening begins, and again each time the connection came back: signals may have been missed.
 */
export async function hearCancels(o: {
  redis: Redis;
  prefix: string;
  onCancel: (jobId: string) => void;
  onListening: () => void;
  onError: (error: Error) => void;
}): Promise<void> {
  const { cancels } = createKeys(o.prefix);
  o.redis.on('message', (_channel: string, jobId: string) => o.onCancel(jobId));
  o.redis.on('ready', () => {
    o.redis.subscribe(cancels).then(o.onListening, o.onError);
  });
  await o.redis.subscribe(cancels);
}
