import type { FailureGroup, JobStore } from '@grsai-jobs/job-store';
import { FAILURE_CODES, type FailureGroupView, type FailureListView, rfc3339, STAGES, wordsOf } from '@grsai-jobs/jobs';
import { z } from 'zod';
import {
  KindQuery,
  oneOf,
  PageQuery,
  readCursor,
  SignatureParameter,
  single,
  TenantParameter,
  writeCursor,
} from '../../http/list-query.ts';
import { json, refusals } from '../../http/openapi/answers.ts';
import { route } from '../../http/route.ts';
import { validate } from '../../http/validate.ts';
import { time } from '../../validation/fields.ts';
import { failures } from './examples.ts';
import { always } from './operation.ts';
import { FailureList } from './schemas.ts';

/** The query of `GET /admin/v1/failures`. */
const FailuresQuery = z.strictObject({
  tenant: TenantParameter,
  signature: SignatureParameter,
  code: oneOf(FAILURE_CODES)
    .optional()
    .meta({ param: { example: 'upstream_failed,internal' } })
    .describe('one or more, separated by commas'),
  stage: z
    .enum(['queued', ...STAGES])
    .optional()
    .meta({ param: { example: 'generating' } }),
  ...KindQuery,
  since: time
    .optional()
    .meta({ param: { example: '2026-11-23T08:00:00Z' } })
    .describe('failed after this time'),
  until: time
    .optional()
    .meta({ param: { example: '2026-11-24T08:00:00Z' } })
    .describe('failed before this time'),
  ...PageQuery,
});

const groupView = ({ signature, count, first, last, samples, error }: FailureGroup): FailureGroupView => ({
  ...signature,
  object: 'failure_group',
  count,
  first: rfc3339(first),
  last: rfc3339(last),
  samples,
  retryable: error.retryable,
  message: wordsOf(error.upstream?.message || error.message),
});

/** Failed and expired jobs by what they have in common, the largest group first. */
export const listFailures = route({
  method: 'get',
  path: '/admin/v1/failures',
  scope: 'admin:read',
  operation: {
    operationId: 'listFailures',
    summary: 'Failed and expired jobs by what they have in common, the largest group first',
    description:
      'Jobs that are failed now: one that was run again counts no more. Up to 50 000 failures are counted in one answer, the newest first.',
    requestParams: { query: FailuresQuery },
    responses: {
      '200': json(FailureList, 'Groups of failures', failures),
      ...refusals('bad_request', 'invalid_request', ...always),
    },
  },
  handlers: (o: { failures: JobStore['failures'] }) => [
    async (request, response) => {
      const { limit, cursor, since, until, code, ...rest } = validate(FailuresQuery, Object.fromEntries(single(request.query)));
      const { groups, next } = await o.failures.groups({
        filter: {
          ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
          ...(code === undefined ? {} : { code }),
          ...(since === undefined ? {} : { since: Date.parse(since) }),
          ...(until === undefined ? {} : { until: Date.parse(until) }),
        },
        after: cursor === undefined ? null : readCursor(cursor),
      });
      response.json({
        object: 'list',
        data: groups.slice(0, limit).map(groupView),
        next_cursor: writeCursor(next),
        groups: groups.length,
        jobs: groups.reduce((sum, { count }) => sum + count, 0),
      } satisfies FailureListView);
    },
  ],
});
