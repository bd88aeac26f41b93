import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { KeyAnswer, KeyRequest } from '../routes/admin-keys.ts';
import { json, refusals } from './schemas.ts';

/** What operators do (design §7). */
export const adminPaths: ZodOpenApiPathsObject = {
  '/admin/v1/keys': {
    post: {
      operationId: 'createKey',
      summary: 'Make an API key for a tenant',
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: KeyRequest,
            examples: {
              'back end': { value: { tenant: 'acme', name: 'back end', scopes: ['jobs:read', 'jobs:write'] } },
              'for a while': {
                value: { tenant: 'acme', name: 'audit', scopes: ['jobs:read'], expires_at: '2099-01-31T00:00:00Z' },
              },
            },
          },
        },
      },
      responses: {
        '201': json(KeyAnswer, 'The key; its text is shown only here', {
          id: 'key_4f1d2b3a9c8e7f60a1b2c3d4',
          object: 'api_key',
          key: 'gj_mZ3v0sJ9b1Q4x7Yt2Lk8Rw5Nc6Hf0PdAeUgIiVqSoT4',
          tenant: 'acme',
          name: 'back end',
          scopes: ['jobs:read', 'jobs:write'],
          created_at: '2026-11-23T08:00:00.000Z',
          expires_at: null,
        }),
        ...refusals(
          'malformed_json',
          'unauthorized',
          'forbidden',
          'body_too_large',
          'unsupported_media_type',
          'invalid_request',
          'unavailable',
        ),
      },
    },
  },
};
