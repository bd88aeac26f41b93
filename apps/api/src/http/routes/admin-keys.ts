import { type ApiKeys, SCOPES } from '@grsai-jobs/job-store';
import { TENANT } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import { Router } from 'express';
import { z } from 'zod';
import type { Auth } from '../auth.ts';
import { jsonBody } from '../body.ts';
import { invalid, validate } from '../validate.ts';

const SMALL_BODY = 16 * 1024;

/** The body of `POST /admin/v1/keys`. */
export const KeyRequest = z.strictObject({
  tenant: z.string().regex(TENANT, 'must be 1 to 32 of a-z 0-9 -').meta({ example: 'acme' }),
  name: z.string().min(1).max(100).meta({ example: 'back end' }),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .max(SCOPES.length)
    .meta({ example: ['jobs:read', 'jobs:write'] }),
  expires_at: z.iso.datetime({ offset: true }).optional(),
});

export const KeyAnswer = z.object({
  id: z.string(),
  object: z.literal('api_key'),
  key: z.string(),
  tenant: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
});

export function adminKeyRoutes(o: { auth: Auth; apiKeys: ApiKeys; clock: Clock }): Router {
  const router = Router();
  router.post('/admin/v1/keys', o.auth.requireScope('admin:write'), ...jsonBody(SMALL_BODY), async (request, response) => {
    const body = validate(KeyRequest, request.body);
    const now = o.clock.now();
    const expiresAt = body.expires_at === undefined ? null : Date.parse(body.expires_at);
    if (expiresAt !== null && expiresAt <= now) throw invalid([{ pointer: '/expires_at', message: 'must lie in the future' }]);
    const made = await o.apiKeys.create({
      tenant: body.tenant,
      name: body.name,
      scopes: [...new Set(body.scopes)],
      expiresAt,
      now,
    });
    response
      .status(201)
      .set('Cache-Control', 'no-store')
      .json({
        id: made.key_id,
        object: 'api_key',
        key: made.key,
        tenant: made.tenant,
        name: made.name,
        scopes: made.scopes,
        created_at: new Date(made.created_at).toISOString(),
        expires_at: made.expires_at === null ? null : new Date(made.expires_at).toISOString(),
      } satisfies z.output<typeof KeyAnswer>);
  });
  return router;
}
