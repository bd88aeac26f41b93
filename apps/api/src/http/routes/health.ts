import { timingSafeEqual } from 'node:crypto';
import type { Pause } from '@grsai-jobs/job-store';
import { type Metrics, READY_LIMIT_MS, within } from '@grsai-jobs/runtime';
import { Router } from 'express';
import { Problem } from '../problem.ts';

/** What `/readyz` looks at: each rejects with the reason when its part cannot be used. */
export type ReadinessChecks = Readonly<Record<string, () => Promise<unknown>>>;

const same = (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

export function healthRoutes(o: {
  checks: ReadinessChecks;
  pauses: () => Promise<Record<string, Pause[]>>;
  metrics: Metrics;
  metricsToken: string | undefined;
}): Router {
  const router = Router();

  router.get('/livez', (_request, response) => {
    response.json({ status: 'ok' });
  });

  router.get('/readyz', async (request, response) => {
    const results = await Promise.all(
      Object.entries(o.checks).map(async ([name, check]) => {
        try {
          return { name, ok: true, facts: await within(READY_LIMIT_MS, `no answer within ${READY_LIMIT_MS} ms`, check()) };
        } catch (error) {
          return { name, ok: false, facts: error instanceof Error ? error.message : String(error) };
        }
      }),
    );
    const ok = results.every((result) => result.ok);
    if (!ok) response.set('Retry-After', '2');
    const verbose = 'verbose' in request.query;
    response.status(ok ? 200 : 503).json({
      status: ok ? 'ok' : 'failing',
      ...(verbose && ok ? { pauses: await o.pauses() } : {}),
      ...(verbose || !ok
        ? {
            checks: Object.fromEntries(
              results.map(({ name, ok: fine, facts }) => [name, { ok: fine, ...(facts === undefined ? {} : { facts }) }]),
            ),
          }
        : {}),
    });
  });

  router.get('/metrics', async (request, response) => {
    if (o.metricsToken !== undefined && !same(request.headers.authorization ?? '', `Bearer ${o.metricsToken}`))
      throw new Problem('unauthorized', 'Send the METRICS_TOKEN as "Authorization: Bearer …".');
    const { contentType, text } = await o.metrics.expose();
    response.set('Content-Type', contentType).send(text);
  });

  return router;
}
