import { rfc3339 } from '@grsai-jobs/jobs';
import type { Logger } from '@grsai-jobs/runtime';
import { type DatedSecret, type Keyring, secretId } from '@grsai-jobs/webhooks';
import type { Response } from 'express';
import { z } from 'zod';
import { principalOf } from '../../http/auth.ts';
import { optionalJsonBody, SMALL_BODY } from '../../http/body.ts';
import { json, refusals } from '../../http/openapi/answers.ts';
import { route } from '../../http/route.ts';
import { validateBody } from '../../http/validate.ts';
import { ofBody } from './delivery.ts';

/** The tenant's signing secrets, made at the first question. */

const DAY_S = 24 * 3600;

/** The body of `POST /v1/webhook-secret/rotate`; it may be left out. */
const RotateRequest = z.strictObject({
  overlap_s: z
    .int()
    .min(0)
    .max(7 * DAY_S)
    .default(DAY_S)
    .describe('so long the secrets of before sign along; 0: they end at once'),
});

/** The signing secrets of a tenant: the newest as text, the older ones that still sign by name and end. */
const WebhookSecret = z
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

const secret: z.output<typeof WebhookSecret> = {
  object: 'webhook_secret',
  id: 'whk_3f0c9d1e8b7a6542',
  secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDb3q2w4cTkvE=',
  older: [{ id: 'whk_90ab12cd34ef5678', expires_at: '2026-11-24T08:00:00.000Z' }],
};

const answer = (response: Response, secrets: readonly DatedSecret[]) =>
  response.set('Cache-Control', 'no-store').json(view(secrets));

export const readWebhookSecret = route({
  method: 'get',
  path: '/v1/webhook-secret',
  scope: 'webhooks:write',
  operation: {
    operationId: 'getWebhookSecret',
    summary: 'Read the secret that webhooks are signed with',
    responses: {
      '200': json(WebhookSecret, 'The newest secret, and which older ones still sign', { ...secret, older: [] }),
      ...refusals('unauthorized', 'forbidden', 'unavailable'),
    },
  },
  handlers: (o: { keyring: Pick<Keyring, 'read'> }) => [
    async (_request, response) => {
      answer(response, await o.keyring.read(principalOf(response).tenant));
    },
  ],
});

export const rotateWebhookSecret = route({
  method: 'post',
  path: '/v1/webhook-secret/rotate',
  scope: 'webhooks:write',
  operation: {
    operationId: 'rotateWebhookSecret',
    summary: 'Make a new secret; the old one signs along for a while',
    description:
      'During the overlap each webhook has a signature by each living secret, the newest first, separated by spaces. At most five live at once: a sixth ends the oldest.',
    requestBody: {
      required: false,
      content: { 'application/json': { schema: RotateRequest, example: { overlap_s: 86_400 } } },
    },
    responses: { '200': json(WebhookSecret, 'The new secret', secret), ...refusals(...ofBody) },
  },
  handlers: (o: { keyring: Pick<Keyring, 'rotate'>; log: Logger }) => [
    ...optionalJsonBody(SMALL_BODY),
    async (request, response) => {
      const { overlap_s: overlapS } = validateBody(RotateRequest, request.body ?? {});
      const { tenant } = principalOf(response);
      const secrets = await o.keyring.rotate(tenant, overlapS * 1000);
      o.log.info({ event: 'webhook_secret.rotated', tenant, overlap_s: overlapS }, 'webhook secret rotated');
      answer(response, secrets);
    },
  ],
});
