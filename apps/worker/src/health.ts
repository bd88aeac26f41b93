import { type Checks, type Logger, type Metrics, readyAnswer, startHealthServer } from '@grsai-jobs/runtime';
import type { WorkerConfig } from './config.ts';

/**
 * `/livez`, `/readyz` and `/metrics` of the worker; `undefined` where `HEALTH_PORT` is 0. Nobody is asked for a key here, so no more than
 * names is shown: the reasons stand in the log.
 */
export async function startHealth(
  config: Pick<WorkerConfig, 'HEALTH_HOST' | 'HEALTH_PORT'>,
  parts: { checks: Pick<Checks, 'findings'>; metrics: Metrics; log: Logger },
) {
  if (config.HEALTH_PORT === 0) return undefined;
  return await startHealthServer({
    host: config.HEALTH_HOST,
    port: config.HEALTH_PORT,
    log: parts.log,
    routes: {
      '/livez': async () => ({ ok: true, body: { status: 'ok' } }),
      '/readyz': async () => readyAnswer(await parts.checks.findings(), { verbose: false }),
      '/metrics': () => parts.metrics.expose(),
    },
  });
}
