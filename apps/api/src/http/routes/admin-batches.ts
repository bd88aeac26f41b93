import type { Batches } from '@grsai-jobs/job-store';
import { type SignLink, viewAdminBatch } from '@grsai-jobs/jobs';
import { type Request, Router } from 'express';
import { z } from 'zod';
import type { Auth } from '../auth.ts';
import { cursorOf, placeOf } from '../cursor.ts';
import { PageQuery, single, TenantParameter } from '../list-query.ts';
import { anyBatch } from '../named.ts';
import { validate } from '../validate.ts';

/** The query of `GET /admin/v1/batches`. */
export const AdminBatchQuery = z.strictObject({ tenant: TenantParameter, ...PageQuery });

/** Batches of all tenants, to be read. */
export function adminBatchRoutes(o: { auth: Auth; batches: Pick<Batches, 'page' | 'read'>; sign: SignLink }): Router {
  const router = Router();
  const read = o.auth.requireScope('admin:read');

  router.get('/admin/v1/batches', read, async (request, response) => {
    const { tenant = null, limit, cursor } = validate(AdminBatchQuery, Object.fromEntries(single(request.query)));
    const after = cursor === undefined ? null : placeOf(cursor);
    const { batches, next } = await o.batches.page({ tenant, after, limit });
    const data = await Promise.all(batches.map((batch) => viewAdminBatch(batch, o.sign)));
    response.json({ object: 'list', data, next_cursor: cursorOf(next) });
  });

  router.get('/admin/v1/batches/:id', read, async (request: Request<{ id: string }>, response) => {
    response.json(await viewAdminBatch(await anyBatch(o.batches, request.params.id), o.sign));
  });

  return router;
}
