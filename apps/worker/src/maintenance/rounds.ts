import type { Clock } from '@grsai-jobs/runtime';

/**
 * A periodic task that does as much as there is: round after round, until `round` answers that it has left nothing that could be done now, or the
 * next run is due. What a single round may do is limited, so that none of its parts keeps the others waiting.
 */
export function inRounds(
  d: { clock: Pick<Clock, 'now'>; shutdown: { readonly stopping: AbortSignal } },
  everyMs: number,
  round: () => Promise<boolean>,
): () => Promise<void> {
  return async () => {
    const until = d.clock.now() + everyMs;
    while ((await round()) && d.clock.now() < until && !d.shutdown.stopping.aborted);
  };
}
