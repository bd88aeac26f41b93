import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

/** Holds what comes from others: why it is here, under which licence, by which hash. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFileSync(resolve(ROOT, path), 'utf8');

const catalog = () => {
  const text = /^catalog:\n((?: {2}.*\n)+)/m.exec(read('pnpm-workspace.yaml'))?.[1] ?? '';
  return [...text.matchAll(/^ {2}"?([^":]+)"?:/gm)].map((match) => match[1] ?? '');
};

function manifests(): string[] {
  const below = (dir: string) => readdirSync(resolve(ROOT, dir)).map((name) => `${dir}/${name}/package.json`);
  return [
    'package.json',
    ...below('apps'),
    ...below('packages'),
    ...['e2e', 'bench', 'scripts', 'simulation'].map((dir) => `${dir}/package.json`),
  ];
}

/** The exit code of a script of ours, and what it wrote. */
function run(script: string, ...args: string[]): Promise<{ code: number; out: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [resolve(ROOT, 'scripts', script), ...args], (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), out: stdout + stderr });
    });
  });
}

describe('docs/dependencies.md', () => {
  test('when a package is in the catalog, then it says why, and of nothing else', () => {
    const [table = ''] = read('docs/dependencies.md').split('\n## ');
    const rows = [...table.matchAll(/^\| `([^`]+)` +\| (\S.{9,}?) +\|$/gm)].map((match) => match[1] ?? '');
    expect(rows).toEqual(catalog().toSorted((a, b) => (a < b ? -1 : 1)));
  });

  test('when a manifest names a package, then its version comes from the catalog', () => {
    for (const path of manifests()) {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(read(path)) as Record<string, Record<string, string>>;
      for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
        expect
          .soft([path, name, version])
          .toEqual([path, name, name.startsWith('@grsai-jobs/') ? 'workspace:*' : expect.stringMatching(/^catalog:[a-z]*$/)]);
    }
  });

  test('when the lock file names a package, then by its hash', () => {
    const resolutions = read('pnpm-lock.yaml').match(/^ {4}resolution: .*$/gm) ?? [];
    expect(resolutions.length).toBeGreaterThan(100);
    expect(resolutions.filter((line) => !/\{integrity: sha512-[\w+/]+={0,2}\}$/.test(line))).toEqual([]);
  });
});

describe('the licences of what is shipped', () => {
  /** A workspace with one app and one package under this licence. */
  function workspace(licence: unknown): string {
    const root = mkdtempSync(join(tmpdir(), 'licences-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const write = (path: string, manifest: object) => {
      mkdirSync(join(root, path), { recursive: true });
      writeFileSync(join(root, path, 'package.json'), JSON.stringify(manifest));
    };
    mkdirSync(join(root, 'docs'));
    write('apps/a', { name: '@grsai-jobs/a', dependencies: { b: '1' } });
    write('apps/a/node_modules/b', { name: 'b', license: licence });
    return root;
  }

  test('when what is installed is asked, then all are allowed, and docs/licences.md names each', async () => {
    expect(await run('licences.ts')).toMatchObject({ code: 0 });
  });

  test.each([
    ['MIT', 0],
    ['(MIT OR GPL-3.0)', 0],
    [[{ type: 'ISC' }], 0],
    ['GPL-3.0-only', 1],
    ['MIT AND GPL-3.0', 1],
    ['(MIT OR GPL-3.0) AND AGPL-3.0', 1],
    ['SEE LICENSE IN LICENSE', 1],
    [undefined, 1],
  ])('when a package is under %j, then the script ends with %i', async (licence, code) => {
    const root = workspace(licence);
    const written = await run('licences.ts', '--root', root, '--write');
    expect(written.code).toBe(code);
    if (code === 1) expect(written.out).toContain('b has the licence');
  });

  test('when docs/licences.md leaves one out, then the script says how to write it', async () => {
    const { code, out } = await run('licences.ts', '--root', workspace('MIT'));
    expect(code).toBe(1);
    expect(out).toContain('--write');
  });
});

describe('advisories', () => {
  async function registry(answer: RequestListener): Promise<string> {
    const server = createServer((request, response) => void request.resume().once('end', () => answer(request, response)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.closeAllConnections());
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  const advisory = (severity: string) => ({
    undici: [{ id: 1, url: 'https://example.test/GHSA-1', title: 'A made-up one', severity, vulnerable_versions: '<99' }],
  });

  test.each<[string, number, string, RequestListener]>([
    ['knows none', 0, '0 of level high', (_, response) => response.end('{}')],
    ['knows a high one', 1, 'high: undici', (_, response) => response.end(JSON.stringify(advisory('high')))],
    ['knows a moderate one', 0, '0 of level high', (_, response) => response.end(JSON.stringify(advisory('moderate')))],
    ['has no advisories', 0, 'skipped, the registry gives none', (_, response) => response.writeHead(405).end('{}')],
    ['answers a page', 0, 'skipped', (_, response) => response.end('<html>')],
  ])('when the registry %s, then the step ends with %i and says "%s"', async (_, code, words, answer) => {
    const { code: ended, out } = await run('advisories.ts', '--registry', await registry(answer), '--within', '25000');
    expect({ code: ended, out }).toEqual({ code, out: expect.stringContaining(words) });
  });

  test('when the registry does not answer, then the step is over in time', async () => {
    const silent = await registry(() => undefined);
    expect(await run('advisories.ts', '--registry', silent, '--within', '500')).toEqual({
      code: 0,
      out: 'advisories: skipped, no answer within 500 ms\n',
    });
  });
});

describe('pinned', () => {
  test('when the workflow uses an action, then by the hash of a commit, with its version behind', () => {
    const uses = readdirSync(resolve(ROOT, '.github/workflows')).flatMap(
      (file) => read(`.github/workflows/${file}`).match(/^.*\buses:.*$/gm) ?? [],
    );
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((line) => !/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  test('when an image is built from another, then that has a digest, or docs/dependencies.md says how it gets one', () => {
    const dockerfile = read('docker/Dockerfile');
    const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map((match) => match[1] ?? '');
    const args = new Map([...dockerfile.matchAll(/^ARG (\w+)=(\S+)$/gm)].map((match) => [match[1] ?? '', match[2] ?? '']));
    for (const [, from = ''] of dockerfile.matchAll(/^FROM (\S+)/gm)) {
      if (stages.includes(from)) continue;
      const arg = /^\$\{(\w+)\}$/.exec(from)?.[1] ?? '';
      const image = args.get(arg) ?? from;
      const told =
        read('docs/dependencies.md').includes(`| \`${image}\``) && read('docs/dependencies.md').includes(`--build-arg ${arg}=`);
      expect.soft([image, /@sha256:[0-9a-f]{64}$/.test(image) || told]).toEqual([image, true]);
    }
  });
});
