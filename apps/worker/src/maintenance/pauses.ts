import type { Pause } from '@grsai-jobs/job-store';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { WorkerMetrics } from '../metrics.ts';
import type { PauseControl } from '../pauses/pause-control.ts';
import type { Probed, Probes } from '../pauses/probes.ts';
import { isProbed, PAUSES, type ProbedReason } from '../pauses/table.ts';

export const PAUSES_EVERY_MS = 15_000;

/** Reasons that end when a job passes as well, and how long they hold before one is let through. */
const TRIED_BY_JOBS: ReadonlySet<ProbedReason> = new Set(['auth', 'balance']);
const TRIED_AFTER_MS = 2 * PAUSES_EVERY_MS - 1000;
/** The same where the probe says that it goes on: it may be the probe that is wrong. */
const TRIED_ANYWAY_MS = 10 * 60_000;

interface Deps {
  producer: Pick<Producer, 'counts'>;
  clock: Clock;
  log: Logger;
  metrics: Pick<WorkerMetrics, 'probes'>;
  /** Whether a paid result has waited too long for our store. */
  waitsToBeStored: () => Promise<boolean>;
}

/**
 * Probes each reason that holds and clears it when its trouble is over; `upstream` lets one job through first, and so do `auth` and `balance` when their
 * probes give no answer for a while. Sets `storage` when a paid result has waited too long. Brings BullMQ's flags in line with the reasons.
 */
export function createPauseTask(d: Deps, control: PauseControl, probes: Probes): () => Promise<void> {
  const probe = async (reason: ProbedReason, pause: Pause): Promise<Probed> => {
    try {
      return await probes[reason](pause);
    } catch (err) {
      d.log.warn({ event: 'probe.failed', reason, err }, 'the trouble goes on');
      return { over: false };
    }
  };

  async function isTried(reason: ProbedReason): Promise<boolean> {
    const counts = await d.producer.counts();
    return PAUSES[reason].some((queue) => (counts[queue]['active'] ?? 0) > 0);
  }

  async function lookAt(reason: ProbedReason, pause: Pause): Promise<void> {
    const forMs = d.clock.now() - (pause.changed ?? pause.since);
    if (pause.state === 'half' && reason === 'upstream') {
      // There was nothing to try. What is being tried says itself how it ends.
      if (forMs >= PAUSES_EVERY_MS - 1000 && !(await isTried(reason))) await control.resume(reason);
      return;
    }
    const { over, sure = false, credits } = await probe(reason, pause);
    if (over) {
      d.metrics.probes.inc({ reason });
      return await (reason === 'upstream' ? control.halfOpen(reason) : control.resume(reason));
    }
    if (credits !== undefined) await control.noteCredits(credits);
    // Neither the numbers nor the words of a probe need to show it: a job does, at no cost while it is refused.
    const due = forMs >= (sure ? TRIED_ANYWAY_MS : TRIED_AFTER_MS);
    if (TRIED_BY_JOBS.has(reason) && due && pause.state === 'paused') await control.halfOpen(reason);
  }

  return async () => {
    if (await d.waitsToBeStored()) await control.pause('storage', 'a paid result waits longer than 10 min to be stored');
    for (const [reason, pause] of await control.reasons()) if (isProbed(reason)) await lookAt(reason, pause);
    await control.align();
  };
}
