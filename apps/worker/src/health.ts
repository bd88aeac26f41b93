import type { JobStore } from '@grsai-jobs/job-store';
import type { ObjectStore } from '@grsai-jobs/object-store';
import { type Metrics, READY_LIMIT_MS, startHealthServer, within } from '@grsai-jobs/runtime';
import type { WorkerConfig } from './config.ts';
import type { PauseControl } from './pauses/pause-control.ts';

/** `/livez`, `/readyz` and `/metrics` of the worker; `undefined` where `HEALTH_PORT` is 0. */
export async function startHealth(
  config: WorkerConfig,
  parts: { store: Pick<JobStore, 'health'>; objects: Pick<ObjectStore, 'probe'>; metrics: Metrics; control: PauseControl },
) {
  if (config.HEALTH_PORT === 0) return undefined;
  return await startHealthServer(config.HEALTH_PORT, {
    '/livez': async () => ({ ok: true, body: { status: 'ok' } }),
    // A worker waits for Redis instead of failing, so the question needs a limit of its own.
    '/readyz': async (verbose) => {
      await within(READY_LIMIT_MS, 'Redis takes no write', parts.store.health.write());
      await within(READY_LIMIT_MS, 'S3 does not answer', parts.objects.probe());
      return { ok: true, body: { status: 'ok', ...(verbose ? { pauses: [...(await parts.control.reasons()).values()] } : {}) } };
    },
    '/metrics': () => parts.metrics.expose(),
  });
}
