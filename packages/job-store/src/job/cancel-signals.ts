import type { Redis } from '@grsai-jobs/redis';

export type CancelSignals = ReturnType<typeof createCancelSignals>;

/** Asks all workers to abort the in-flight call of a job. No more than a hint: the record is the truth, and it says `canceling`. */
export function createCancelSignals(redis: Redis, keys: { readonly cancels: string }) {
  return {
    async send(jobId: string): Promise<void> {
      await redis.publish(keys.cancels, jobId);
    },
  };
}
