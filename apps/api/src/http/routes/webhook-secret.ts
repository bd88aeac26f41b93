import type { Tenants } from '@grsai-jobs/job-store';
import { Router } from 'express';
import { type Auth, principalOf } from '../auth.ts';

/** The tenant's signing secret, made at the first question. `seal` keeps it unreadable in Redis. */
export function webhookSecretRoutes(o: {
  auth: Auth;
  tenants: Tenants;
  newSealedSecret: (tenant: string) => string;
  openSecret: (sealed: string, tenant: string) => string;
}): Router {
  const router = Router();
  router.get('/v1/webhook-secret', o.auth.requireScope('webhooks:write'), async (_request, response) => {
    const { tenant } = principalOf(response);
    const sealed = await o.tenants.webhookSecret(tenant, () => o.newSealedSecret(tenant));
    response.set('Cache-Control', 'no-store').json({ object: 'webhook_secret', secret: o.openSecret(sealed, tenant) });
  });
  return router;
}
