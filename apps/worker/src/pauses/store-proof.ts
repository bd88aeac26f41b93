import type { Logger } from '@grsai-jobs/runtime';

/** Whether S3 has kept a small object since this process started. */
export interface StoreProof {
  proven(): boolean;
  /** The store has kept what it was given. */
  prove(): void;
  /** Resolves when it has for the first time. */
  readonly first: Promise<void>;
}

/**
 * What cannot be kept is not paid for (P3). A store that breaks pauses the submits of all workers; one that never answered this
 * worker (a bucket that is not there, wrong credentials) may well work for others, so only this one begins no image jobs.
 */
export function createStoreProof(log: Logger): StoreProof {
  const { promise, resolve } = Promise.withResolvers<void>();
  let proven = false;
  return {
    proven: () => proven,
    prove() {
      if (proven) return;
      proven = true;
      log.info({ event: 'store.proven' }, 'the object store has kept a small object: image jobs begin');
      resolve();
    },
    first: promise,
  };
}
