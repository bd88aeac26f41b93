import { createDocument } from 'zod-openapi';
import { adminPaths } from './openapi/admin-paths.ts';
import { adminTenantPaths } from './openapi/admin-tenant-paths.ts';
import { batchPaths } from './openapi/batch-paths.ts';
import { addSharedHeaders, headers, tagsOf, withShared } from './openapi/common.ts';
import { jobPaths } from './openapi/job-paths.ts';
import { problemExamples } from './openapi/problems.ts';
import { servicePaths } from './openapi/service-paths.ts';
import { webhookPaths } from './openapi/webhook-paths.ts';
import { webhooks } from './openapi/webhooks.ts';

const ABOUT = `Durable chat and image generation jobs on the Grsai API. An accepted job reaches a terminal state, and an image task is never paid for twice by us.

Send your API key as \`Authorization: Bearer gj_…\`. Refusals are \`application/problem+json\`: \`detail\` says what to do. Answers of 202, 429 and 503 say in \`Retry-After\` when to come again. Operators have a page at [/admin](/admin).`;

/** The OpenAPI 3.1 document, made from the schemas that the routes themselves check with. */
export function openApiDocument(version: string): object {
  const paths = { ...jobPaths, ...batchPaths, ...webhookPaths, ...adminPaths, ...adminTenantPaths, ...servicePaths };
  return addSharedHeaders(
    createDocument({
      openapi: '3.1.1',
      info: {
        title: 'grsai-jobs',
        version,
        description: ABOUT,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: tagsOf(paths),
      security: [{ key: [] }],
      components: {
        securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key: gj_…' } },
        examples: problemExamples,
        headers,
      },
      paths: withShared(paths),
      webhooks,
    }),
  );
}
