import { expireRun } from '../../stages/end-run.ts';
import type { DoSlice } from '../run-operations.ts';
import { type BatchKit, behind, eachLine, livingBatch, placeOf, SLICE } from './kit.ts';

/** At the end of its time what still waits of a batch expires, at once instead of job by job when its turn comes. */
export const expireBatch =
  (kit: BatchKit): DoSlice =>
  async (operation) => {
    const batch = await livingBatch(kit, operation.order, ['running', 'canceling']);
    if (batch === null) return { done: true };
    const at = placeOf(operation.cursor);
    const ids = await kit.store.batches.jobIds(batch.id, at, SLICE);
    const now = kit.clock.now();
    await eachLine(
      kit,
      ids,
      ({ status }) => status === 'queued' || status === 'running',
      async (record) => {
        const waits = record.status === 'queued' || record.stage === 'generating';
        if (waits && record.expires_at <= now) await expireRun(kit, record);
      },
    );
    return behind(at, ids);
  };
