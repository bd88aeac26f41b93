import { type Grsai, GrsaiError } from '@grsai-jobs/grsai';
import type { JobStore } from '@grsai-jobs/job-store';
import type { ObjectStore } from '@grsai-jobs/object-store';
import type { Clock } from '@grsai-jobs/runtime';
import type { ProbedReason } from './table.ts';

/** A result that has waited this long to be stored stops new tasks. */
export const UNSTORED_LIMIT_MS = 10 * 60_000;

/** A task id that nobody has; its JSON 404 proves that the API answers. */
const NO_TASK = '0-00000000-0000-4000-8000-000000000000';

/** For each reason what tells, without paying, that its trouble is over. A probe that rejects says no. */
export function createProbes(o: {
  grsai: Grsai;
  objects: ObjectStore;
  sweeps: JobStore['sweeps'];
  clock: Clock;
}): Readonly<Record<ProbedReason, () => Promise<boolean>>> {
  return {
    auth: async () => (await o.grsai.probeKey()) === 'valid',
    balance: async () => (await o.grsai.account.credits()) > 0,
    storage: async () => {
      await o.objects.probe();
      const oldest = await o.sweeps.oldestUnstored();
      return oldest === null || o.clock.now() - oldest < UNSTORED_LIMIT_MS;
    },
    upstream: async () => {
      // In the order of the client, which goes on to the next base only where nothing was sent.
      for (const base of o.grsai.baseUrls) {
        try {
          await o.grsai.images.result(NO_TASK, { base });
          return true;
        } catch (error) {
          if (!(error instanceof GrsaiError) || error.code !== 'connection_failed') return false;
        }
      }
      return false;
    },
  };
}
