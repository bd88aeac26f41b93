import type { ReadModels } from '@grsai-jobs/jobs';
import type { Redis } from '@grsai-jobs/redis';

/** A list that could not be read anew for so long says nothing about today. */
const LIST_LIFE_MS = 7 * 24 * 3600 * 1000;

export type Catalogue = ReturnType<typeof createCatalogue>;

/** Upstream's list of models, as the worker that read it last has written it for all. */
export function createCatalogue(redis: Redis, keys: { readonly catalogue: string }) {
  return {
    /** In place of the list before. */
    async put(list: ReadModels): Promise<void> {
      await redis.set(keys.catalogue, JSON.stringify(list), 'PX', LIST_LIFE_MS);
    },

    /** `null`: none was read within a week. */
    async read(): Promise<ReadModels | null> {
      const text = await redis.get(keys.catalogue);
      return text === null ? null : (JSON.parse(text) as ReadModels);
    },
  };
}
