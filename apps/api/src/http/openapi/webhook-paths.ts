import type { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { RotateRequest, WebhookSecret } from '../routes/webhook-secret.ts';
import { json, refusals } from './schemas.ts';

/** Refusals of a route with a JSON body. */
const ofBody = [
  'malformed_json',
  'unauthorized',
  'forbidden',
  'body_too_large',
  'unsupported_media_type',
  'invalid_request',
  'unavailable',
] as const;

const secret: z.output<typeof WebhookSecret> = {
  object: 'webhook_secret',
  id: 'whk_3f0c9d1e8b7a6542',
  secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDb3q2w4cTkvE=',
  older: [{ id: 'whk_90ab12cd34ef5678', expires_at: '2026-11-24T08:00:00.000Z' }],
};

/** Secrets of webhooks (design §5); what a receiver gets stands in `webhooks.ts`. */
export const webhookPaths: ZodOpenApiPathsObject = {
  '/v1/webhook-secret': {
    get: {
      operationId: 'getWebhookSecret',
      summary: 'Read the secret that webhooks are signed with',
      responses: {
        '200': json(WebhookSecret, 'The newest secret, and which older ones still sign', { ...secret, older: [] }),
        ...refusals('unauthorized', 'forbidden', 'unavailable'),
      },
    },
  },
  '/v1/webhook-secret/rotate': {
    post: {
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
  },
};
