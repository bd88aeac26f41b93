import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { refusals } from './problems.ts';
import { json } from './schemas.ts';

const check = z.object({
  ok: z.boolean(),
  state: z
    .enum(['ok', 'warn', 'failing', 'unknown'])
    .describe('`failing`: not ready; `warn`: ready, and a person has to act; `unknown`: nobody can tell'),
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
  checks: z.record(z.string(), check).optional().describe('with `verbose`: what was found'),
});

/** What operators and their tools ask without an API key. */
export const servicePaths: ZodOpenApiPathsObject = {
  '/livez': {
    get: {
      operationId: 'live',
      summary: 'Whether the process is alive',
      security: [],
      responses: { '200': json(z.object({ status: z.literal('ok') }), 'It is', { status: 'ok' }) },
    },
  },
  '/readyz': {
    get: {
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
  },
  '/metrics': {
    get: {
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
  },
};
