import type { Pause } from '@grsai-jobs/job-store';
import type { PauseControl } from '../pauses/pause-control.ts';
import { isProbed, type ProbedReason } from '../pauses/table.ts';
import type { Kit } from '../stages/kit.ts';

export const PAUSES_EVERY_MS = 15_000;

/**
 * Probes each reason that holds and clears it when its trouble is over; `upstream` lets one job through first. Sets
 * `storage` when a paid result has waited too long. Brings BullMQ's flags in line with the reasons.
 */
export function createPauseRound(
  kit: Pick<Kit, 'clock' | 'log' | 'metrics'> & { waitsToBeStored: () => Promise<boolean> },
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

  async function lookAt(reason: ProbedReason, pause: Pause): Promise<void> {
    if (pause.state === 'half') {
      // Nothing failed for a whole round, or there was nothing to try.
      if (kit.clock.now() - pause.since >= PAUSES_EVERY_MS - 1000) await control.resume(reason);
      return;
    }
    if (!(await probe(reason))) return;
    kit.metrics.probes.inc({ reason });
    await (reason === 'upstream' ? control.halfOpen(reason) : control.resume(reason));
  }

  return async () => {
    if (await kit.waitsToBeStored()) await control.pause('storage', 'a paid result waits longer than 10 min to be stored');
    for (const [reason, pause] of await control.reasons()) if (isProbed(reason)) await lookAt(reason, pause);
    await control.align();
  };
}
