import { z } from 'zod';
import { createDocument } from 'zod-openapi';
import { jobPaths } from './openapi/job-paths.ts';
import { json, refusals } from './openapi/schemas.ts';
import { KeyAnswer, KeyRequest } from './routes/admin-keys.ts';

/** The OpenAPI 3.1 document, made from the schemas that the routes themselves check with. */
export function openApiDocument(version: string): object {
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'grsai-jobs',
      version,
      description:
        'Durable chat and image generation jobs on the Grsai API. An accepted job reaches a terminal state and is never paid for twice by us.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    security: [{ key: [] }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key: gj_…' } } },
    paths: {
      ...jobPaths,
      '/v1/webhook-secret': {
        get: {
          operationId: 'getWebhookSecret',
          summary: 'Read the secret that webhooks are signed with',
          responses: {
            '200': json(
              z.object({ object: z.literal('webhook_secret'), secret: z.string() }),
              'A Standard Webhooks secret: whsec_…',
            ),
            ...refusals('unauthorized', 'forbidden', 'unavailable'),
          },
        },
      },
      '/admin/v1/keys': {
        post: {
          operationId: 'createKey',
          summary: 'Make an API key for a tenant',
          requestBody: { required: true, content: { 'application/json': { schema: KeyRequest } } },
          responses: {
            '201': json(KeyAnswer, 'The key; its text is shown only here'),
            ...refusals(
              'malformed_json',
              'unauthorized',
              'forbidden',
              'unsupported_media_type',
              'invalid_request',
              'unavailable',
            ),
          },
        },
      },
      '/livez': { get: { operationId: 'live', security: [], responses: { '200': { description: 'The process is alive' } } } },
      '/readyz': {
        get: {
          operationId: 'ready',
          security: [],
          responses: {
            '200': { description: 'Requests can be taken' },
            '503': { description: 'They cannot; `checks` says why' },
          },
        },
      },
      '/metrics': {
        get: { operationId: 'metrics', security: [], responses: { '200': { description: 'Prometheus exposition' } } },
      },
    },
  });
}
