import type { JobStore } from '@grsai-jobs/job-store';
import type { Logger, Service, Timers } from '@grsai-jobs/runtime';
import type { WorkerMetrics } from '../metrics.ts';
import type { AccountTrouble } from './account-trouble.ts';
import { gateOf } from './pause-control.ts';
import type { UpstreamHealth } from './upstream-health.ts';

const LOOK_EVERY_MS = 2000;

/** Keeps this process's view of the pauses fresh: for its metrics, and for the breaker that another process half opened. */
export function watchPauses(o: {
  pauses: JobStore['pauses'];
  upstream: UpstreamHealth;
  trouble: AccountTrouble;
  metrics: WorkerMetrics;
  log: Logger;
  timers: Pick<Timers, 'every'>;
}): Service {
  const read = async () => {
    const all = await o.pauses.all();
    o.metrics.paused.reset();
    for (const [queue, pauses] of Object.entries(all))
      for (const { reason } of pauses) o.metrics.paused.set({ queue, reason }, 1);
    o.trouble.seen(all['submit'] ?? []);
    o.upstream.seen(gateOf((all['submit'] ?? []).filter((pause) => pause.reason === 'upstream')));
  };
  const end = o.timers.every(LOOK_EVERY_MS, () => {
    read().catch((err: unknown) => o.log.warn({ event: 'pauses.not_read', err }, 'the pauses could not be read'));
  });
  return {
    name: 'pause watch',
    stop: async () => end(),
  };
}
