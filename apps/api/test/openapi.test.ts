import { readdirSync, readFileSync } from 'node:fs';
import { VERSION } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { openApiDocument } from '../src/http/openapi/document.ts';
import { ROUTES } from '../src/routes/index.ts';
import { documented } from './openapi-document.ts';

test('openapi.json says what the code says (pnpm openapi writes it)', () => {
  const file = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8'));
  expect(file).toEqual(JSON.parse(JSON.stringify(openApiDocument(VERSION))));
});

test('every field of a request that is refused when unknown says so in the document', () => {
  const document = openApiDocument(VERSION) as { components: { schemas: Record<string, object> } };
  for (const name of ['ChatJobRequest', 'ImageJobRequest', 'ChatInput', 'ImageInput', 'ChatBatchItem', 'ImageBatchItem'])
    expect(document.components.schemas[name], name).toMatchObject({ additionalProperties: false });
});

test('every route that is served stands in the document, once, and says there whether it asks for a key', () => {
  const served = ROUTES.map(({ method, path, scope }) => ({ name: `${method.toUpperCase()} ${path}`, needsKey: scope !== null }));
  const shown = documented().map(({ name, needsKey }) => ({ name, needsKey }));
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  // With `verbose` it asks for a key.
  const expected = served.map((each) => (each.name === 'GET /readyz' ? { ...each, needsKey: true } : each));
  expect(shown.sort(byName)).toEqual(expected.sort(byName));
});

test('what is served beside the list of routes is pages for people and their parts', () => {
  const src = new URL('../src/', import.meta.url);
  const serves = /\b(?:router|app)(?:\.(?:get|post|put|patch|delete|all|route)\(|\[)/;
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => serves.test(readFileSync(new URL(file, src), 'utf8')));
  expect(files.sort()).toEqual(['http/route.ts', 'routes/admin-page.ts', 'routes/docs-page.ts']);
});
