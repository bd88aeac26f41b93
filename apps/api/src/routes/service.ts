import { createHash, timingSafeEqual } from 'node:crypto';
import type { Pause } from '@grsai-jobs/job-store';
import {
  type Build,
  type Checks,
  type Finding,
  HEALTH_FRESH_MS,
  type Metrics,
  OK,
  readyAnswer,
  sharedLook,
} from '@grsai-jobs/runtime';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { Auth } from '../http/auth.ts';
import { json, refusals } from '../http/openapi/answers.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';

/** What operators and their tools ask without an API key. */

const check = z.object({
  ok: z.boolean(),
  state: z
    .enum(['ok', 'warn', 'failing', 'unknown'])
    .describe('`failing`: not ready; `warn`: ready, and a person has to act; `unknown`: it is not known'),
  facts: z.string().optional().describe('why, and what to do'),
});
const state = z.object({
  status: z.enum(['ok', 'failing']),
  failing: z.array(z.string()).optional().describe('names of checks that fail'),
  warnings: z.array(z.string()).optional().describe('names of checks that a person has to look at; it is ready all the same'),
  pauses: z
    .record(z.string(), z.array(z.looseObject({})))
    .optional()
    .describe('with `verbose`: why a queue is paused'),
  build: z
    .object({ id: z.string(), schema: z.int() })
    .optional()
    .describe('with `verbose`: the build that runs, and its schema version'),
  checks: z.record(z.string(), check).optional().describe('with `verbose`: what was found'),
});

export const live = route({
  method: 'get',
  path: '/livez',
  scope: null,
  operation: {
    operationId: 'live',
    summary: 'Whether the process is alive',
    security: [],
    responses: { '200': json(z.object({ status: z.literal('ok') }), 'It is', { status: 'ok' }) },
  },
  handlers: () => [
    (_request, response) => {
      response.json({ status: 'ok' });
    },
  ],
});

interface ReadyDeps {
  auth: Auth;
  checks: Pick<Checks, 'findings'>;
  /** A process that stops takes no more requests. */
  stopping: () => boolean;
  pauses: () => Promise<Record<string, Pause[]>>;
  build: Build;
}

export const ready = route({
  method: 'get',
  path: '/readyz',
  scope: null,
  operation: {
    operationId: 'ready',
    summary: 'Whether requests can be taken',
    description:
      'Redis takes a write, the object store takes a small object, and the process is not stopping. What a person has to act on although it is ready stands in `warnings`.',
    security: [{}, { key: [] }],
    requestParams: {
      query: z.object({
        verbose: z
          .string()
          .optional()
          .meta({ example: '' })
          .describe('also says what was found, and which queues are paused; asks for a key with the scope `admin:read`'),
      }),
    },
    responses: {
      '200': json(
        state,
        'They can',
        { status: 'ok' },
        {
          status: 'ok',
          pauses: { call: [], submit: [{ reason: 'balance', since: '2026-11-23T08:00:00.000Z' }] },
          warnings: ['redis_persistence'],
          build: { id: '0.1.0+4c067ee3d1aa', schema: 2 },
          checks: {
            accepting: { ok: true, state: 'ok' },
            redis: { ok: true, state: 'ok' },
            redis_persistence: { ok: false, state: 'warn', facts: 'REDIS_URL: Redis keeps no append-only file …' },
            object_store: { ok: true, state: 'ok' },
          },
        },
      ),
      '503': json(state, 'They cannot; `failing` says what fails', {
        status: 'failing',
        failing: ['redis'],
      }),
      ...refusals('unauthorized', 'forbidden'),
    },
  },
  handlers: (o: ReadyDeps) => {
    const findings = sharedLook(HEALTH_FRESH_MS, () => o.checks.findings());
    const operator = o.auth.requireScope('admin:read');
    // Reasons name addresses and accounts, so they are for operators; names are for anyone.
    const operatorForDetails: RequestHandler = (request, response, next) =>
      'verbose' in request.query ? operator(request, response, next) : next();
    return [
      operatorForDetails,
      async (request, response) => {
        const verbose = 'verbose' in request.query;
        const accepting: Finding = o.stopping() ? { state: 'failing', reason: 'this process is stopping' } : OK;
        const rows = [{ name: 'accepting', finding: accepting }, ...(await findings())];
        const ready = rows.every(({ finding }) => finding.state !== 'failing');
        const { ok, body } = readyAnswer(rows, {
          verbose,
          build: o.build,
          ...(verbose && ready ? { pauses: await o.pauses() } : {}),
        });
        if (!ok) response.set('Retry-After', '2');
        response
          .status(ok ? 200 : 503)
          .set('Cache-Control', 'no-store')
          .json(body);
      },
    ];
  },
});

const digest = (text: string) => createHash('sha256').update(text).digest();
/** Their digests have one length, so that the time shows nothing, not even that. */
const same = (a: string, b: string) => timingSafeEqual(digest(a), digest(b));

export const metrics = route({
  method: 'get',
  path: '/metrics',
  scope: null,
  operation: {
    operationId: 'metrics',
    summary: 'Metrics for Prometheus',
    description: 'Asks for `METRICS_TOKEN` as a bearer token when that is set.',
    security: [],
    responses: {
      '200': {
        description: 'Prometheus exposition',
        content: {
          'text/plain': {
            schema: z.string(),
            example: '# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.7\n',
          },
        },
      },
    },
  },
  handlers: (o: { metrics: Metrics; metricsToken: string | undefined }) => {
    const exposed = sharedLook(HEALTH_FRESH_MS, () => o.metrics.expose());
    return [
      async (request, response) => {
        if (o.metricsToken !== undefined && !same(request.headers.authorization ?? '', `Bearer ${o.metricsToken}`))
          throw new Problem('unauthorized', 'Send the METRICS_TOKEN as "Authorization: Bearer …".');
        const { contentType, text } = await exposed();
        response.set('Content-Type', contentType).send(text);
      },
    ];
  },
});
