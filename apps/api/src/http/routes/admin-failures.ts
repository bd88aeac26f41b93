import type { FailureGroup, JobStore } from '@grsai-jobs/job-store';
import { FAILURE_CODES, type FailureGroupView, type FailureListView, rfc3339, STAGES, wordsOf } from '@grsai-jobs/jobs';
import { Router } from 'express';
import { z } from 'zod';
import { time } from '../../validation/fields.ts';
import type { Auth } from '../auth.ts';
import { cursorOf, placeOf } from '../cursor.ts';
import { KindQuery, oneOf, PageQuery, SignatureParameter, single, TenantParameter } from '../list-query.ts';
import { validate } from '../validate.ts';

/** The query of `GET /admin/v1/failures`. */
export const FailuresQuery = z.strictObject({
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
export function adminFailureRoutes(o: { auth: Auth; failures: JobStore['failures'] }): Router {
  const router = Router();
  router.get('/admin/v1/failures', o.auth.requireScope('admin:read'), async (request, response) => {
    const { limit, cursor, since, until, code, ...rest } = validate(FailuresQuery, Object.fromEntries(single(request.query)));
    const { groups, next } = await o.failures.groups({
      filter: {
        ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
        ...(code === undefined ? {} : { code }),
        ...(since === undefined ? {} : { since: Date.parse(since) }),
        ...(until === undefined ? {} : { until: Date.parse(until) }),
      },
      after: cursor === undefined ? null : placeOf(cursor),
    });
    response.json({
      object: 'list',
      data: groups.slice(0, limit).map(groupView),
      next_cursor: cursorOf(next),
      groups: groups.length,
      jobs: groups.reduce((sum, { count }) => sum + count, 0),
    } satisfies FailureListView);
  });
  return router;
}
