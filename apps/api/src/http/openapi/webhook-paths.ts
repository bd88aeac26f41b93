import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { json, refusals } from './schemas.ts';

/** Secrets of webhooks (design §5); what a receiver gets stands in `webhooks.ts`. */
export const webhookPaths: ZodOpenApiPathsObject = {
  '/v1/webhook-secret': {
    get: {
      operationId: 'getWebhookSecret',
      summary: 'Read the secret that webhooks are signed with',
      responses: {
        '200': json(
          z.object({ object: z.literal('webhook_secret'), secret: z.string() }),
          'A Standard Webhooks secret: whsec_…',
          { object: 'webhook_secret', secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDb3q2w4cTkvE=' },
        ),
        ...refusals('unauthorized', 'forbidden', 'unavailable'),
      },
    },
  },
};
