import { type GrsaiApi, GrsaiError } from '@grsai-jobs/grsai';
import type { Credits, Pause } from '@grsai-jobs/job-store';
import type { ObjectStore } from '@grsai-jobs/object-store';
import { askForMoney, hasRisen, lowest } from './credits.ts';
import type { ProbedReason } from './table.ts';

/** A task id that nobody has; its JSON 404 proves that the API answers. */
const NO_TASK = '0-00000000-0000-4000-8000-000000000000';

/** What a probe found. */
export interface Probed {
  readonly over: boolean;
  /** It goes on, as far as upstream can be believed: no job need try soon. */
  readonly sure?: boolean;
  /** Our money, as the pause should remember it. */
  readonly credits?: Credits;
}

export type Probes = Readonly<Record<ProbedReason, (pause: Pause) => Promise<Probed>>>;

/** For each reason what shows, without paying, that its trouble is over. A probe that rejects says no. */
export function createProbes(o: {
  grsai: GrsaiApi;
  objects: ObjectStore;
  /** Whether paid results wait too long. */
  waitsToBeStored: () => Promise<boolean>;
}): Probes {
  return {
    auth: async () => {
      const key = await o.grsai.probeKey();
      return { over: key === 'valid', sure: key === 'refused' };
    },
    balance: async ({ credits: low }) => {
      const { credits, state } = await askForMoney(o.grsai);
      return { over: hasRisen(low, credits), sure: state === 'broke', credits: lowest(low, credits) };
    },
    storage: async () => {
      await o.objects.probe();
      return { over: !(await o.waitsToBeStored()) };
    },
    upstream: async () => {
      // In the order of the client, which goes on to the next base only where nothing was sent.
      for (const base of o.grsai.baseUrls) {
        try {
          await o.grsai.images.result(NO_TASK, { base });
          return { over: true };
        } catch (error) {
          if (!(error instanceof GrsaiError) || error.code !== 'connection_failed') return { over: false };
        }
      }
      return { over: false };
    },
  };
}
