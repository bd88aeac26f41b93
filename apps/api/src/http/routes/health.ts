import { timingSafeEqual } from 'node:crypto';
import type { Pause } from '@grsai-jobs/job-store';
import { type Checks, type Finding, type Metrics, OK, readyAnswer } from '@grsai-jobs/runtime';
import { Router } from 'express';
import { Problem } from '../problem.ts';

const same = (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

export function healthRoutes(o: {
  checks: Pick<Checks, 'findings'>;
  /** A process that stops takes no more requests. */
  stopping: () => boolean;
  pauses: () => Promise<Record<string, Pause[]>>;
  metrics: Metrics;
  metricsToken: string | undefined;
}): Router {
  const router = Router();

  router.get('/livez', (_request, response) => {
    response.json({ status: 'ok' });
  });

  router.get('/readyz', async (request, response) => {
    const verbose = 'verbose' in request.query;
    const accepting: Finding = o.stopping() ? { state: 'failing', reason: 'this process is stopping' } : OK;
    const findings = [{ name: 'accepting', finding: accepting }, ...(await o.checks.findings())];
    const ready = findings.every(({ finding }) => finding.state !== 'failing');
    const { ok, body } = readyAnswer(findings, { verbose, ...(verbose && ready ? { pauses: await o.pauses() } : {}) });
    if (!ok) response.set('Retry-After', '2');
    response.status(ok ? 200 : 503).json(body);
  });

  router.get('/metrics', async (request, response) => {
    if (o.metricsToken !== undefined && !same(request.headers.authorization ?? '', `Bearer ${o.metricsToken}`))
      throw new Problem('unauthorized', 'Send the METRICS_TOKEN as "Authorization: Bearer …".');
    const { contentType, text } = await o.metrics.expose();
    response.set('Content-Type', contentType).send(text);
  });

  return router;
}
