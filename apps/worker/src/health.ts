import { type Checks, type Metrics, readyAnswer, startHealthServer } from '@grsai-jobs/runtime';
import type { WorkerConfig } from './config.ts';
import type { PauseControl } from './pauses/pause-control.ts';

/** `/livez`, `/readyz` and `/metrics` of the worker; `undefined` where `HEALTH_PORT` is 0. */
export async function startHealth(
  config: WorkerConfig,
  parts: { checks: Pick<Checks, 'findings'>; metrics: Metrics; control: PauseControl },
) {
  if (config.HEALTH_PORT === 0) return undefined;
  return await startHealthServer(config.HEALTH_PORT, {
    '/livez': async () => ({ ok: true, body: { status: 'ok' } }),
    '/readyz': async (verbose) => {
      const findings = await parts.checks.findings();
      // A worker waits for Redis instead of failing, so it is asked for pauses only where it answers.
      const reads = verbose && findings.every(({ name, finding }) => name !== 'redis' || finding.state === 'ok');
      return readyAnswer(findings, { verbose, ...(reads ? { pauses: await parts.control.all() } : {}) });
    },
    '/metrics': () => parts.metrics.expose(),
  });
}
