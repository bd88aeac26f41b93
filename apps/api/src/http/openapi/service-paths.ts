import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { json } from './schemas.ts';

const check = z.object({ ok: z.boolean(), facts: z.unknown().optional().describe('what was found, or why not') });
const state = z.object({
  status: z.enum(['ok', 'failing']),
  pauses: z
    .record(z.string(), z.array(z.looseObject({})))
    .optional()
    .describe('with `verbose`: why a queue is paused'),
  checks: z.record(z.string(), check).optional().describe('with `verbose`, or when one fails'),
});

/** What operators and their tools ask without an API key (design §8). */
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
      description: 'Redis takes a write, the object store answers, and the process is not stopping.',
      security: [],
      requestParams: {
        query: z.object({
          verbose: z.string().optional().meta({ example: '' }).describe('also says what was found, and which queues are paused'),
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
            checks: { accepting: { ok: true }, redis: { ok: true }, object_store: { ok: true } },
          },
        ),
        '503': json(state, 'They cannot; `checks` says why', {
          status: 'failing',
          checks: { accepting: { ok: true }, redis: { ok: false, facts: 'Connection is closed.' }, object_store: { ok: true } },
        }),
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
