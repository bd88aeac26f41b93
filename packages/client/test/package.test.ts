import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { file, openapiTypesText } from '../scripts/openapi-types.ts';

const src = fileURLToPath(new URL('../src/', import.meta.url));

test('when openapi.json is read then its types are those that are committed', async () => {
  expect(readFileSync(file, 'utf8'), '`pnpm run types` in packages/client writes them anew').toBe(await openapiTypesText());
});

test('when a file outside of src/node is read then it imports nothing but files of the core: it runs at the edge too', () => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^(?!node\/).*(?<!\.test)\.ts$/.test(name),
  );
  const imports = files.flatMap((name) =>
    [...readFileSync(`${src}${name}`, 'utf8').matchAll(/\b(?:from|import) ?\(?'([^']+)'/g)].map(
      (match) => `${name}: ${match[1]}`,
    ),
  );
  expect(imports.length).toBeGreaterThan(50);
  expect(imports.filter((each) => !/: \.{1,2}\/(?!.*node\/)/.test(each))).toEqual([]);
});
