import type { AuditLine as AuditRecord, JobStore } from '@grsai-jobs/job-store';
import { type AuditLineView, rfc3339 } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { PageQuery, single } from '../../http/list-query.ts';
import { json, listOf, refusals } from '../../http/openapi/answers.ts';
import { route } from '../../http/route.ts';
import { validate } from '../../http/validate.ts';
import { auditLine, page } from './examples.ts';
import { always } from './operation.ts';
import { AuditLine } from './schemas.ts';

/** The query of `GET /admin/v1/audit`. */
const AuditQuery = z.strictObject({
  who: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ param: { example: 'ADMIN_API_KEY' } })
    .describe('the id or the name of a key'),
  action: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .meta({ param: { example: 'queue.change' } }),
  target: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .meta({ param: { example: 'submit' } })
    .describe('the id or name of what was changed'),
  limit: PageQuery.limit,
  cursor: z
    .string()
    .regex(/^\d{1,15}-\d{1,10}$/, 'take it from next_cursor of the page before, as it is')
    .optional()
    .meta({ param: { example: '1795420800000-0' } })
    .describe('next_cursor of the page before'),
});

const lineView = ({ id, at, key_id, key_name, action, target, reason, outcome, detail }: AuditRecord): AuditLineView => ({
  id,
  object: 'audit_line',
  at: rfc3339(at),
  key: { id: key_id, name: key_name },
  action,
  target,
  reason,
  outcome,
  detail: detail === '' ? null : detail,
});

/** What operators did, the newest first. */
export const listAudit = route({
  method: 'get',
  path: '/admin/v1/audit',
  scope: 'admin:read',
  operation: {
    operationId: 'listAudit',
    summary: 'What operators did and why, the newest first',
    requestParams: { query: AuditQuery },
    responses: {
      '200': json(listOf(AuditLine), 'A page; `next_cursor` is null on the last one', page(auditLine)),
      ...refusals('invalid_request', ...always),
    },
  },
  handlers: (o: { audit: Pick<JobStore['audit'], 'page'> }) => [
    async (request, response) => {
      const { limit, cursor, ...filter } = validate(AuditQuery, Object.fromEntries(single(request.query)));
      const { lines, next } = await o.audit.page({
        filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
        after: cursor ?? null,
        limit,
      });
      response.json({ object: 'list', data: lines.map(lineView), next_cursor: next });
    },
  ],
});
