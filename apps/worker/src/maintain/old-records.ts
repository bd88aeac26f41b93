import { isBatchEnd, isTerminal } from '@grsai-jobs/jobs';
import type { Kit } from '../stages/kit.ts';
import { eachOf } from './each.ts';

export const OLD_EVERY_MS = 10 * 60_000;
const AT_ONCE = 1000;
const DAY_MS = 24 * 3600 * 1000;

/**
 * Erases records whose job ended more than `RETENTION_DAYS` ago, with their deliveries. One that still owes a webhook
 * stays until that is over (P4). Objects stay too: their life is a rule of the bucket.
 * Ended batches go by the same time; their jobs go by themselves.
 */
export function createOldRecords(kit: Kit, retentionDays: number): () => Promise<void> {
  return async () => {
    const before = kit.clock.now() - retentionDays * DAY_MS;
    await eachOf(kit, await kit.store.batches.endedBefore(before, AT_ONCE), async (id) => {
      const batch = await kit.store.batches.read(id);
      if (batch === null || !isBatchEnd(batch.status)) await kit.store.batches.forgetEnded(id);
      else if (batch.webhook.state !== 'pending') await kit.store.batches.forget(batch);
    });
    const old = await kit.store.sweeps.endedBefore(before, AT_ONCE);
    await eachOf(kit, old, async (id) => {
      const record = await kit.store.jobs.read(id);
      if (record === null || !isTerminal(record.status)) await kit.store.sweeps.forgetEnded(id);
      else if (record.webhook.state !== 'pending') {
        if (await kit.store.erase.old(record)) kit.metrics.erased.inc();
      }
    });
  };
}
