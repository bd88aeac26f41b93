import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const textOf = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

interface Variable {
  name: string;
  about: string;
  /** As it would be written; empty for one that is required or has none. */
  fallback: string;
}

function variablesOf(app: 'api' | 'worker'): Variable[] {
  const entry = fileURLToPath(new URL(`../apps/${app}/src/main.ts`, import.meta.url));
  const { stdout } = spawnSync(process.execPath, [entry, '--help'], { encoding: 'utf8' });
  return [...stdout.matchAll(/^ {2}([A-Z0-9_]+) +(.*) \((?:required|default (.*))\)$/gm)].map(
    ([, name = '', about = '', fallback = '']) => ({ name, about, fallback: fallback === 'none' ? '' : fallback }),
  );
}

const variables = [...new Map([...variablesOf('api'), ...variablesOf('worker')].map((each) => [each.name, each])).values()];
const names = variables.map(({ name }) => name).sort();

test('--help of both apps says of each variable what it is', () => {
  expect(names.length).toBeGreaterThan(30);
  expect(variables.filter(({ about }) => about === '')).toEqual([]);
});

test('.env.example has each variable once, with its default, and no other', () => {
  const rows = [...textOf('.env.example').matchAll(/^#?([A-Z0-9_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]);
  const byName = (a: string[], b: string[]) => String(a[0]).localeCompare(String(b[0]));
  expect(rows.sort(byName)).toEqual(variables.map(({ name, fallback }) => [name, fallback]).sort(byName));
});

test('docs/operations.md has a row for each variable', () => {
  const rows = [...textOf('docs/operations.md').matchAll(/^\| (`[A-Z0-9_]+`(?:, `[A-Z0-9_]+`)*) /gm)].flatMap(([, cell = '']) =>
    cell.replaceAll('`', '').split(', '),
  );
  expect(rows.sort()).toEqual(names);
});

test('docker/compose.yaml hands each variable to the containers', () => {
  const environment = /^x-environment:.*\n((?: {2}.*\n)+)/m.exec(textOf('docker/compose.yaml'))?.[1] ?? '';
  const handed = [...environment.matchAll(/^ {2}([A-Z0-9_]+):/gm)].map(([, name]) => name);
  expect(names.filter((name) => !handed.includes(name))).toEqual([]);
  // A password that stands in a file for everybody is none.
  const given = textOf('docker/compose.yaml').match(/\$\{\w*(?:PASSWORD|SECRET_KEY|SECRETS_KEY|API_KEY):-[^}]+\}/g);
  expect(given).toBeNull();
});

test('when a file of variables begins with a byte order mark then its first one is read, unless it was set before', () => {
  const dir = mkdtempSync(join(tmpdir(), 'env-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, '.env');
  writeFileSync(file, '\ufeffREDIS_URL=redis://of-file\r\nS3_BUCKET=b\r\n');
  const url = new URL('../scripts/bare/byte-order-mark.mjs', import.meta.url);
  const program = `import { dropByteOrderMark } from '${url}'; dropByteOrderMark(process.env);
    console.log(JSON.stringify(Object.entries(process.env).filter(([name]) => /REDIS_URL|S3_BUCKET/.test(name))))`;
  const read = (env: Record<string, string>) =>
    JSON.parse(
      spawnSync(process.execPath, [`--env-file=${file}`, '--input-type=module', '-e', program], { encoding: 'utf8', env }).stdout,
    );
  expect(read({}).sort()).toEqual([
    ['REDIS_URL', 'redis://of-file'],
    ['S3_BUCKET', 'b'],
  ]);
  expect(read({ REDIS_URL: 'redis://set' })).toContainEqual(['REDIS_URL', 'redis://set']);
});
