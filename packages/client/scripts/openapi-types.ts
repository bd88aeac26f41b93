import { readFileSync, writeFileSync } from 'node:fs';
import openapiTypes, { astToString, type OpenAPI3 } from 'openapi-typescript';

/** Writes `src/openapi.ts`: the types of what tenants send and get, from the description of the API. */

const description = new URL('../../../openapi.json', import.meta.url);
export const file = new URL('../src/openapi.ts', import.meta.url);

const HEAD = '// Written by scripts/openapi-types.ts from openapi.json; `pnpm run types` makes it anew.\n\n';

/** Lines of NDJSON, bodies of webhooks and events: no path leads to them. */
const ALONE = ['BatchItem', 'BatchResult', 'BatchLineError', 'JobEvent', 'WebhookEvent'];

/** What the command line of operators reads. */
const OF_OPERATORS = ['Restored'];

interface Description {
  paths: Record<string, unknown>;
  components: { schemas: Record<string, unknown> };
}

/** Of the schemas those that the paths under `/v1` lead to, and those that `also` names, in the order of their names. */
function schemasOfTenants({ paths, components }: Description, also: readonly string[]): Record<string, unknown> {
  const found = new Set<string>();
  const add = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    visit(components.schemas[name]);
  };
  const visit = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)) add(name);
  };
  for (const [path, item] of Object.entries(paths)) if (path.startsWith('/v1/')) visit(item);
  for (const name of also) add(name);
  return Object.fromEntries([...found].sort().map((name) => [name, components.schemas[name]]));
}

/** The text of the file. */
export async function openapiTypesText(): Promise<string> {
  const schemas = schemasOfTenants(JSON.parse(readFileSync(description, 'utf8')) as Description, [...ALONE, ...OF_OPERATORS]);
  const document = { openapi: '3.1.0', info: { title: '', version: '' }, paths: {}, components: { schemas } };
  return HEAD + astToString(await openapiTypes(document as unknown as OpenAPI3));
}

if (import.meta.main) writeFileSync(file, await openapiTypesText());
