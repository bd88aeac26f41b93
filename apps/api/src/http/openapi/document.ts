import { createDocument } from 'zod-openapi';
import { BatchLineError, BatchResult } from '../../routes/batches/schemas.ts';
import { ROUTES } from '../../routes/index.ts';
import { pathsOf } from '../route.ts';
import { addSharedHeaders, headers, tagsOf, withShared } from './common.ts';
import { WebhookEvent, webhooks } from './events.ts';
import { forGenerators } from './for-generators.ts';
import { problemExamples } from './problems.ts';

const ABOUT = `Durable chat and image generation jobs on the Grsai API. An accepted job reaches a terminal state, and an image task is never paid for twice by us.

Send your API key as \`Authorization: Bearer gj_…\`. Refusals are \`application/problem+json\`: \`detail\` says what to do. Answers of 202, 429 and 503 say in \`Retry-After\` when to come again. Operators have a page at [/admin](/admin).`;

/** The OpenAPI 3.1 document, made from the routes themselves and the schemas that they check with. */
export function openApiDocument(version: string): object {
  const paths = pathsOf(ROUTES);
  const document = addSharedHeaders(
    createDocument({
      openapi: '3.1.1',
      info: {
        title: 'grsai-jobs',
        version,
        description: ABOUT,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'The service that answered with this document' }],
      tags: tagsOf(paths),
      security: [{ key: [] }],
      components: {
        securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key: gj_…' } },
        // Those of lines and of bodies that we send are named for whoever generates a client.
        schemas: { BatchResult, BatchLineError, WebhookEvent },
        examples: problemExamples,
        headers,
      },
      paths: withShared(paths),
      webhooks,
    }),
  );
  return forGenerators(document);
}
