import { type Grsai, GrsaiError } from '@grsai-jobs/grsai';
import type { ObjectStore } from '@grsai-jobs/object-store';
import type { ProbedReason } from './table.ts';

/** A task id that nobody has; its JSON 404 proves that the API answers. */
const NO_TASK = '0-00000000-0000-4000-8000-000000000000';

/** For each reason what tells, without paying, that its trouble is over. A probe that rejects says no. */
export function createProbes(o: {
  grsai: Grsai;
  objects: ObjectStore;
  /** Whether paid results wait too long. */
  waitsToBeStored: () => Promise<boolean>;
}): Readonly<Record<ProbedReason, () => Promise<boolean>>> {
  return {
    auth: async () => (await o.grsai.probeKey()) === 'valid',
    balance: async () => (await o.grsai.account.credits()) > 0,
    storage: async () => {
      await o.objects.probe();
      return !(await o.waitsToBeStored());
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
