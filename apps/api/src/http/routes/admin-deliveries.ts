import type { JobStore } from '@grsai-jobs/job-store';
import { viewAdminDelivery } from '@grsai-jobs/jobs';
import { type Request, Router } from 'express';
import { z } from 'zod';
import type { ResendDelivery } from '../../use-cases/resend-delivery.ts';
import { Reason } from '../../validation/fields.ts';
import type { Audited } from '../audited.ts';
import type { Auth } from '../auth.ts';
import { jsonBody } from '../body.ts';
import { cursorOf } from '../cursor.ts';
import { anyDelivery } from '../named.ts';
import { orProblem, RESEND_REFUSALS } from '../refusals.ts';
import { validateBody } from '../validate.ts';
import { adminDeliveryQuery } from './webhook-deliveries.ts';

const SMALL_BODY = 16 * 1024;

/** The body of `POST /admin/v1/webhook-deliveries/{id}/resend`. */
export const ResendRequest = z.strictObject({ reason: Reason });

/** Webhook deliveries of all tenants. */
export function adminDeliveryRoutes(o: {
  auth: Auth;
  store: Pick<JobStore, 'deliveries' | 'deliveryList'>;
  resend: ResendDelivery;
  audited: Audited;
}): Router {
  const router = Router();
  const read = o.auth.requireScope('admin:read');

  router.get('/admin/v1/webhook-deliveries', read, async (request, response) => {
    const { deliveries, next } = await o.store.deliveryList.page(adminDeliveryQuery(request.query));
    const data = deliveries.map((delivery) => viewAdminDelivery(delivery, { whole: false }));
    response.json({ object: 'list', data, next_cursor: cursorOf(next) });
  });

  router.get('/admin/v1/webhook-deliveries/:id', read, async (request: Request<{ id: string }>, response) => {
    response.json(viewAdminDelivery(await anyDelivery(o.store.deliveries, request.params.id), { whole: true }));
  });

  router.post(
    '/admin/v1/webhook-deliveries/:id/resend',
    o.auth.requireScope('admin:write'),
    ...jsonBody<{ id: string }>(SMALL_BODY),
    async (request: Request<{ id: string }>, response) => {
      const { reason } = validateBody(ResendRequest, request.body);
      const asked = await anyDelivery(o.store.deliveries, request.params.id);
      const resent = await o.audited(response, { action: 'webhook.resend', target: asked.id, reason }, async () => {
        const result = orProblem(await o.resend(asked), RESEND_REFUSALS);
        return { result: result.delivery, detail: `tenant ${asked.tenant}` };
      });
      response
        .status(202)
        .set('Retry-After', '2')
        .json(viewAdminDelivery(resent, { whole: true }));
    },
  );

  return router;
}
