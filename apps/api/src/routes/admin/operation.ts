import type { z } from 'zod';

/** What the operations of operators say alike. */

export const always = ['unauthorized', 'forbidden', 'unavailable'] as const;
export const ofBody = ['malformed_json', 'body_too_large', 'unsupported_media_type', 'invalid_request'] as const;

export const body = (schema: z.ZodType, ...[example, ...more]: readonly unknown[]) => ({
  required: true,
  content: {
    'application/json': {
      schema,
      examples: Object.fromEntries([example, ...more].map((value, index) => [`example ${index + 1}`, { value }])),
    },
  },
});
