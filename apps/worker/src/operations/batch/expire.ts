import { expireRun } from '../../stages/end-run.ts';
import type { Kit } from '../../stages/kit.ts';
import type { DoSlice } from '../run-operations.ts';
import { behind, eachLine, livingBatch, positionOf, SLICE } from './slices.ts';

/** At the end of its time what still waits of a batch expires, at once instead of job by job when its turn comes. */
export const expireBatch =
  (d: Kit): DoSlice =>
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
      async (record) => {
        const waits = record.status === 'queued' || record.stage === 'generating';
        if (waits && record.expires_at <= now) await expireRun(d, record);
      },
    );
    return behind(at, ids);
  };
