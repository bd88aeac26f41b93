import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Writes `dist`: each file of `src` without its types, as Node runs it here. The compiler would take in the source of the packages
 * that it imports, which are packed by themselves.
 */

const at = (folder: string): string => fileURLToPath(new URL(`../${folder}/`, import.meta.url));

rmSync(at('dist'), { recursive: true, force: true });
for (const name of readdirSync(at('src'), { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
  const source = readFileSync(join(at('src'), name), 'utf8');
  const script = stripTypeScriptTypes(source).replaceAll(/\b(from '\.{1,2}\/[^']*)\.ts'/g, "$1.js'");
  const file = join(at('dist'), name.replace(/\.ts$/, '.js'));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, script);
}
