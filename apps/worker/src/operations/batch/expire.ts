import type { JobStore } from '@grsai-jobs/job-store';
import { hasExpired, stateIn } from '@grsai-jobs/jobs';
import { type ExpireDeps, expire } from '../../runner/expire.ts';
import { type SettleDeps, settle } from '../../runner/settle.ts';
import type { DoSlice } from '../run-operations.ts';
import { behind, eachLine, livingBatch, positionOf, SLICE } from './slices.ts';

interface Deps extends SettleDeps, ExpireDeps {
  store: SettleDeps['store'] & ExpireDeps['store'] & Pick<JobStore, 'batches'>;
}

/** At the end of its time what still waits of a batch expires, at once instead of job by job when its turn comes. */
export const expireBatch =
  (d: Deps): DoSlice =>
  async (operation) => {
    const batch = await livingBatch(d, operation.order, ['running', 'canceling']);
    if (batch === null) return { done: true };
    const at = positionOf(operation.cursor);
    const ids = await d.store.batches.jobIds(batch.id, at, SLICE);
    const now = d.clock.now();
    await eachLine(
      d,
      ids,
      ({ status }) => status === 'queued' || status === 'running',
      async (job) => {
        if (hasExpired(stateIn(job), job.expires_at, now)) await settle(d, job, await expire(d, job));
      },
    );
    return behind(at, ids);
  };
