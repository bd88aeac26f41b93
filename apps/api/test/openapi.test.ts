import { readFileSync } from 'node:fs';
import { VERSION } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { openApiDocument } from '../src/http/openapi.ts';

test('openapi.json says what the code says (pnpm openapi writes it)', () => {
  const file = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8'));
  expect(file).toEqual(JSON.parse(JSON.stringify(openApiDocument(VERSION))));
});

test('every field of a request that is refused when unknown says so in the document', () => {
  const document = openApiDocument(VERSION) as {
    paths: Record<string, { post?: { requestBody: { content: Record<string, { schema: unknown }> } } }>;
  };
  const text = JSON.stringify(document.paths['/v1/jobs']?.post?.requestBody);
  expect(text).toContain('"additionalProperties":false');
});
