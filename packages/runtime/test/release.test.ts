import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

/** The parts of `pnpm release:check`; all of it takes minutes, and stands in no test. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

interface Manifest {
  name: string;
  private?: boolean;
  publishConfig?: { access?: string };
}

const manifestOf = (dir: string) => JSON.parse(readFileSync(resolve(ROOT, dir, 'package.json'), 'utf8')) as Manifest;

/** What a script of `scripts/release/` says to a value: they are no package, so they are asked as processes. */
async function ask(module: string, expression: string): Promise<unknown> {
  const code = `import * as it from ${JSON.stringify(resolve(ROOT, 'scripts/release', module))}; console.log(JSON.stringify(await (${expression})))`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code]);
  return JSON.parse(stdout);
}

test('when a package says that it is for the public then it is released, and none is published before its name is ours', async () => {
  const released = (await ask('packages.ts', 'it.PUBLIC')) as { name: string; dir: string }[];
  const dirs = ['apps', 'packages'].flatMap((folder) => readdirSync(resolve(ROOT, folder)).map((name) => `${folder}/${name}`));
  const meant = dirs.filter((dir) => manifestOf(dir).publishConfig?.access === 'public');
  expect(released.map(({ dir }) => dir).sort()).toEqual(meant.sort());
  for (const { name, dir } of released) expect(manifestOf(dir)).toMatchObject({ name: `@grsai-jobs/${name}`, private: true });
});

/** A packed package of these files. */
async function packed(manifest: object, files: Record<string, string>): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), 'release-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  const all = { ...files, 'package.json': JSON.stringify({ name: 'x', version: '1.0.0', type: 'module', ...manifest }) };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(cwd, 'package', name)), { recursive: true });
    writeFileSync(join(cwd, 'package', name), text);
  }
  await run('tar', ['czf', join(cwd, 'x.tgz'), '-C', cwd, 'package']);
  return join(cwd, 'x.tgz');
}

const exported = (types: string) => ({ exports: { '.': { types, default: './dist/index.js' } } });
const FILES = { 'dist/index.js': 'export const a = 1;\n', 'dist/index.d.ts': 'export declare const a: number;\n' };

test.each([
  ['is right', exported('./dist/index.d.ts'), FILES, []],
  ['exports a file that it has not', exported('./dist/index.d.ts'), { 'dist/index.d.ts': '' }, [/publint: .*index\.js/]],
  ['names types that it has not', exported('./src/index.ts'), FILES, [/./]],
])('when a package %s then that is what is said of it', async (_what, manifest, files, problems) => {
  const tarball = await packed(manifest, files);
  const said = (await ask('problems.ts', `it.problemsOf(${JSON.stringify(tarball)}, { types: true })`)) as string[];
  if (problems.length === 0) expect(said).toEqual([]);
  for (const each of problems) expect(said.join('\n')).toMatch(each);
});

test('when a README has programs then each is one, and it is known which of them go on', async () => {
  const readme = '```ts\nconst a = 1;\n```\n\n```json\n{}\n```\n\n```sh\nnpx x\n```\n\n```ts\ncreateServer(f).listen(0);\n```\n';
  const blocks = await ask('readme.ts', `it.blocksOf(${JSON.stringify(readme)}).map((each) => [each.language, it.serves(each)])`);
  expect(blocks).toEqual([
    ['ts', false],
    ['sh', false],
    ['ts', true],
  ]);
});
