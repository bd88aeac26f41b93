import type { JobStore } from '@grsai-jobs/job-store';
import type { PauseControl } from '../pauses/pause-control.ts';
import { UNSTORED_LIMIT_MS } from '../pauses/probes.ts';
import { isProbed, type ProbedReason } from '../pauses/table.ts';
import type { Kit } from '../stages/kit.ts';

export const PAUSES_EVERY_MS = 15_000;

/**
 * Probes each reason that holds and clears it when its trouble is over; `upstream` lets one job through first. Sets
 * `storage` when a paid result has waited too long. Brings BullMQ's flags in line with the reasons.
 */
export function createPauseRound(
  kit: Pick<Kit, 'clock' | 'log' | 'metrics'> & { sweeps: JobStore['sweeps'] },
  control: PauseControl,
  probes: Readonly<Record<ProbedReason, () => Promise<boolean>>>,
): () => Promise<void> {
  const probe = async (reason: ProbedReason): Promise<boolean> => {
    try {
      return await probes[reason]();
    } catch (err) {
      kit.log.warn({ event: 'probe.failed', reason, err }, 'the trouble goes on');
      return false;
    }
  };

  return async () => {
    const oldest = await kit.sweeps.oldestUnstored();
    if (oldest !== null && kit.clock.now() - oldest > UNSTORED_LIMIT_MS)
      await control.pause('storage', 'a paid result waits longer than 10 min to be stored');
    for (const [reason, pause] of await control.reasons()) {
      if (!isProbed(reason)) continue;
      if (pause.state === 'half') {
        // Nothing failed for a whole round, or there was nothing to try.
        if (kit.clock.now() - pause.since >= PAUSES_EVERY_MS - 1000) await control.resume(reason);
        continue;
      }
      if (!(await probe(reason))) continue;
      kit.metrics.probes.inc({ reason });
      await (reason === 'upstream' ? control.halfOpen(reason) : control.resume(reason));
    }
    await control.align();
  };
}
