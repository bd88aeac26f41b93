import { rfc3339 } from '@grsai-jobs/jobs';
import type { Logger } from '@grsai-jobs/runtime';
import { type DatedSecret, type Keyring, secretId } from '@grsai-jobs/webhooks';
import { type Response, Router } from 'express';
import { z } from 'zod';
import { type Auth, principalOf } from '../auth.ts';
import { optionalJsonBody } from '../body.ts';
import { validateBody } from '../validate.ts';

const SMALL_BODY = 16 * 1024;
const DAY_S = 24 * 3600;

/** The body of `POST /v1/webhook-secret/rotate`; it may be left out. */
export const RotateRequest = z.strictObject({
  overlap_s: z
    .int()
    .min(0)
    .max(7 * DAY_S)
    .default(DAY_S)
    .describe('so long the secrets of before sign along; 0: they end at once'),
});

/** The signing secrets of a tenant: the newest as text, the older ones that still sign by name and end. */
export const WebhookSecret = z
  .strictObject({
    object: z.literal('webhook_secret'),
    id: z.string().meta({ example: 'whk_3f0c9d1e8b7a6542' }).describe('a name for the secret that is no secret'),
    secret: z.string().describe('a Standard Webhooks secret: whsec_…'),
    older: z
      .array(z.strictObject({ id: z.string(), expires_at: z.iso.datetime() }))
      .describe('secrets of before that still sign'),
  })
  .meta({ id: 'WebhookSecret' });

function view([newest, ...older]: readonly DatedSecret[]): z.output<typeof WebhookSecret> {
  if (newest === undefined) throw new Error('a tenant without a secret');
  return {
    object: 'webhook_secret',
    id: secretId(newest.secret),
    secret: newest.secret,
    older: older.map(({ secret, until = 0 }) => ({ id: secretId(secret), expires_at: rfc3339(until) })),
  };
}

/** The tenant's signing secrets, made at the first question. */
export function webhookSecretRoutes(o: { auth: Auth; keyring: Keyring; log: Logger }): Router {
  const router = Router();
  const write = o.auth.requireScope('webhooks:write');
  const answer = (response: Response, secrets: readonly DatedSecret[]) =>
    response.set('Cache-Control', 'no-store').json(view(secrets));

  router.get('/v1/webhook-secret', write, async (_request, response) => {
    answer(response, await o.keyring.read(principalOf(response).tenant));
  });

  router.post('/v1/webhook-secret/rotate', write, ...optionalJsonBody(SMALL_BODY), async (request, response) => {
    const { overlap_s: overlapS } = validateBody(RotateRequest, request.body ?? {});
    const { tenant } = principalOf(response);
    const secrets = await o.keyring.rotate(tenant, overlapS * 1000);
    o.log.info({ event: 'webhook_secret.rotated', tenant, overlap_s: overlapS }, 'webhook secret rotated');
    answer(response, secrets);
  });

  return router;
}
