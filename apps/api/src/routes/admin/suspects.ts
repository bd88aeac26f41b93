import type { JobStore } from '@grsai-jobs/job-store';
import { rfc3339 } from '@grsai-jobs/jobs';
import { z } from 'zod';
import type { Audited } from '../../http/audited.ts';
import { jsonBody, SMALL_BODY } from '../../http/body.ts';
import { json, refusals } from '../../http/openapi/answers.ts';
import { route } from '../../http/route.ts';
import { validateBody } from '../../http/validate.ts';
import { DECIDED_AT_ONCE, type DecideSuspects, SUSPECT_ACTIONS } from '../../use-cases/suspects.ts';
import { Reason } from '../../validation/fields.ts';
import { always, body, ofBody } from './operation.ts';

/** Jobs that may have been paid for: a failover or a restore has forgotten whether their call was made. */

const SHOWN = 200;

const SuspectList = z
  .object({
    object: z.literal('list'),
    data: z.array(z.object({ object: z.literal('suspect'), job_id: z.string(), since: z.iso.datetime() })),
    total: z.int().describe(`how many there are; the ${SHOWN} that wait longest are shown`),
  })
  .meta({ id: 'SuspectList' });

const Decision = z.strictObject({
  action: z
    .enum(SUSPECT_ACTIONS)
    .describe(
      'run: it was not paid for, or may be paid for once more; fail: it ends as submit_unknown; hold: every image that is queued now is held as well',
    ),
  jobs: z
    .array(z.string().max(100))
    .min(1)
    .max(DECIDED_AT_ONCE)
    .optional()
    .describe(`ids of jobs; left out: the ${DECIDED_AT_ONCE} that wait longest, so ask again while left is above 0`),
  type: z.enum(['image', 'chat']).optional().describe('without jobs: only those of this type'),
  reason: Reason,
});

const Decided = z
  .object({ decided: z.int(), left: z.int().describe('how many are held yet, of the type that was asked for') })
  .meta({ id: 'SuspectsDecided' });

const job_id = 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D';

export const listSuspects = route({
  method: 'get',
  path: '/admin/v1/suspects',
  scope: 'admin:read',
  operation: {
    operationId: 'listSuspects',
    summary: 'Jobs that may have been paid for and wait for a decision',
    description:
      'A failover, or a restore from a backup, has forgotten whether their call was made. They do not begin, and expire as usual.',
    responses: {
      '200': json(SuspectList, 'Those that wait longest first', {
        object: 'list',
        data: [{ object: 'suspect', job_id, since: '2026-11-27T09:30:00.000Z' }],
        total: 1,
      }),
      ...refusals(...always),
    },
  },
  handlers: (o: { suspects: Pick<JobStore['suspects'], 'list' | 'count'> }) => [
    async (_request, response) => {
      const [listed, total] = await Promise.all([o.suspects.list({ skip: 0, limit: SHOWN }), o.suspects.count()]);
      const data = listed.map(({ id, since }) => ({ object: 'suspect', job_id: id, since: rfc3339(since) }));
      response.json({ object: 'list', data, total });
    },
  ],
});

export const decideSuspects = route({
  method: 'post',
  path: '/admin/v1/suspects',
  scope: 'admin:write',
  operation: {
    operationId: 'decideSuspects',
    summary: 'Decide on jobs that may have been paid for',
    requestBody: body(
      Decision,
      { action: 'fail', jobs: [job_id], reason: 'upstream has charged for it' },
      { action: 'run', reason: 'upstream shows no charge' },
    ),
    responses: {
      '200': json(Decided, 'How many were decided on, and how many are left', { decided: 1, left: 0 }),
      ...refusals(...ofBody, ...always),
    },
  },
  handlers: (o: { decideSuspects: DecideSuspects; audited: Audited }) => [
    ...jsonBody(SMALL_BODY),
    async (request, response) => {
      const { action, jobs, type, reason } = validateBody(Decision, request.body);
      const all = type === undefined ? 'all' : `all ${type}s`;
      const target = jobs === undefined ? all : jobs.length === 1 ? (jobs[0] ?? '') : `${jobs.length} jobs`;
      const result = await o.audited(response, { action: `suspects.${action}`, target, reason }, async () => {
        const decided = await o.decideSuspects(action, { ids: jobs, type });
        return { result: decided, detail: `${decided.decided} decided, ${decided.left} left` };
      });
      response.json(result);
    },
  ],
});
