import { createHash, timingSafeEqual } from 'node:crypto';
import type { Pause } from '@grsai-jobs/job-store';
import { type Checks, type Finding, HEALTH_FRESH_MS, type Metrics, OK, readyAnswer, sharedLook } from '@grsai-jobs/runtime';
import { type RequestHandler, Router } from 'express';
import type { Auth } from '../auth.ts';
import { Problem } from '../problem.ts';

const digest = (text: string) => createHash('sha256').update(text).digest();
/** Their digests have one length, so that the time tells nothing, not even of that. */
const same = (a: string, b: string) => timingSafeEqual(digest(a), digest(b));

export function healthRoutes(o: {
  auth: Auth;
  checks: Pick<Checks, 'findings'>;
  /** A process that stops takes no more requests. */
  stopping: () => boolean;
  pauses: () => Promise<Record<string, Pause[]>>;
  metrics: Metrics;
  metricsToken: string | undefined;
}): Router {
  const router = Router();
  const findings = sharedLook(HEALTH_FRESH_MS, () => o.checks.findings());
  const exposed = sharedLook(HEALTH_FRESH_MS, () => o.metrics.expose());
  const operator = o.auth.requireScope('admin:read');
  // Reasons tell of addresses and accounts, so that they are for operators; names are for anyone.
  const operatorForDetails: RequestHandler = (request, response, next) =>
    'verbose' in request.query ? operator(request, response, next) : next();

  router.get('/livez', (_request, response) => {
    response.json({ status: 'ok' });
  });

  router.get('/readyz', operatorForDetails, async (request, response) => {
    const verbose = 'verbose' in request.query;
    const accepting: Finding = o.stopping() ? { state: 'failing', reason: 'this process is stopping' } : OK;
    const rows = [{ name: 'accepting', finding: accepting }, ...(await findings())];
    const ready = rows.every(({ finding }) => finding.state !== 'failing');
    const { ok, body } = readyAnswer(rows, { verbose, ...(verbose && ready ? { pauses: await o.pauses() } : {}) });
    if (!ok) response.set('Retry-After', '2');
    response
      .status(ok ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json(body);
  });

  router.get('/metrics', async (request, response) => {
    if (o.metricsToken !== undefined && !same(request.headers.authorization ?? '', `Bearer ${o.metricsToken}`))
      throw new Problem('unauthorized', 'Send the METRICS_TOKEN as "Authorization: Bearer …".');
    const { contentType, text } = await exposed();
    response.set('Content-Type', contentType).send(text);
  });

  return router;
}
