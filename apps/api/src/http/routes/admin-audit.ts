import type { AuditLine, JobStore } from '@grsai-jobs/job-store';
import { type AuditLineView, rfc3339 } from '@grsai-jobs/jobs';
import { Router } from 'express';
import { z } from 'zod';
import type { Auth } from '../auth.ts';
import { PageQuery, single } from '../list-query.ts';
import { validate } from '../validate.ts';

/** The query of `GET /admin/v1/audit`. */
export const AuditQuery = z.strictObject({
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

const lineView = ({ id, at, key_id, key_name, action, target, reason, outcome, detail }: AuditLine): AuditLineView => ({
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
export function adminAuditRoutes(o: { auth: Auth; audit: JobStore['audit'] }): Router {
  const router = Router();
  router.get('/admin/v1/audit', o.auth.requireScope('admin:read'), async (request, response) => {
    const { limit, cursor, ...filter } = validate(AuditQuery, Object.fromEntries(single(request.query)));
    const { lines, next } = await o.audit.page({
      filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
      after: cursor ?? null,
      limit,
    });
    response.json({ object: 'list', data: lines.map(lineView), next_cursor: next });
  });
  return router;
}
