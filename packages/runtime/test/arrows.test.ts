import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** Holds the two tables of ARCHITECTURE.md against the manifests and the source of every workspace package. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SCOPE = '@grsai-jobs/';

/** What tests of any package may use beside the package's own row. */
const FOR_TESTS = ['testkit', 'grsai-emulator'];

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

interface Package {
  dir: string;
  /** Without the scope, as the table says it. */
  name: string;
  dependencies: string[];
  devDependencies: string[];
  imports: Import[];
}

interface Import {
  file: string;
  /** What stands behind `from`. */
  from: string;
  /** `import type`: gone when it runs. */
  typesOnly: boolean;
  inTest: boolean;
}

const read = (path: string) => readFileSync(resolve(ROOT, path), 'utf8');

/** The rows of the table under `header`, each as the code words of its cells. */
function tableUnder(header: string): [string, string[]][] {
  const lines = read('ARCHITECTURE.md').split('\n');
  const normal = (line: string) => line.replace(/\s+/g, ' ').trim();
  const start = lines.findIndex((line) => normal(line) === header);
  if (start === -1) throw new Error(`ARCHITECTURE.md has no table with the header ${header}`);
  const words = (cell: string | undefined) => [...(cell ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
  const rows: [string, string[]][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    const [, first, second] = line.split('|');
    for (const subject of words(first)) rows.push([subject, words(second)]);
  }
  return rows;
}

const ARROWS = tableUnder('| package | may import |');
const BEHIND = tableUnder('| library | imported only in |');

function workspaceDirs(): string[] {
  const globs = /^packages:\n((?: {2}- .*\n)+)/m.exec(read('pnpm-workspace.yaml'))?.[1] ?? '';
  return [...globs.matchAll(/- (\S+)/g)]
    .flatMap(([, glob = '']) => (glob.endsWith('/*') ? children(glob.slice(0, -2)) : [glob]))
    .filter((dir) => existsSync(resolve(ROOT, dir, 'package.json')));
}

const children = (dir: string) =>
  readdirSync(resolve(ROOT, dir), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [`${dir}/${entry.name}`] : [],
  );

/** Static, dynamic and type imports, and exports from elsewhere. */
const IMPORTS =
  /^[ \t]*(?:import|export)\b[^'";]*?from\s*['"]([^'"]+)['"]|^[ \t]*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

function importsIn(dir: string): Import[] {
  return readdirSync(resolve(ROOT, dir), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mts|js|mjs)$/.test(entry.name))
    .map((entry) => relative(ROOT, resolve(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => !/\/(node_modules|dist)\//.test(file))
    .flatMap((file) =>
      [...read(file).matchAll(IMPORTS)].map((match) => ({
        file,
        from: match[1] ?? match[2] ?? match[3] ?? '',
        typesOnly: /^\s*import type\b/.test(match[0]),
        inTest: /\/test\/|\.test\.ts$/.test(file),
      })),
    );
}

const ours = (dependencies: Record<string, string> | undefined): string[] =>
  Object.keys(dependencies ?? {}).flatMap((name) => (name.startsWith(SCOPE) ? [name.slice(SCOPE.length)] : []));

const PACKAGES: Package[] = workspaceDirs().map((dir) => {
  const manifest = JSON.parse(read(`${dir}/package.json`)) as Manifest;
  return {
    dir,
    name: manifest.name.slice(SCOPE.length),
    dependencies: ours(manifest.dependencies),
    devDependencies: ours(manifest.devDependencies),
    imports: importsIn(dir),
  };
});

const allowedIn = (dir: string): string[] => ARROWS.find(([subject]) => subject === dir)?.[1] ?? [];
const beyond = (used: readonly string[], allowed: readonly string[]) =>
  [...new Set(used)].filter((name) => !allowed.includes(name));
const packageOf = (specifier: string) => specifier.slice(SCOPE.length).split('/')[0] ?? '';

test('when a package is in the workspace then it has its row in the table, and every row its package', () => {
  expect(ARROWS.map(([dir]) => dir).sort()).toEqual(PACKAGES.map(({ dir }) => dir).sort());
  expect(
    beyond(
      ARROWS.flatMap(([, allowed]) => allowed),
      PACKAGES.map(({ name }) => name),
    ),
  ).toEqual([]);
});

test('when the table is read then jobs imports nothing of ours, runtime only how an address of Redis is read, and only the simulation an app', () => {
  expect([...allowedIn('packages/jobs'), ...allowedIn('packages/runtime')]).toEqual(['redis']);
  const ofRuntime = PACKAGES.find(({ dir }) => dir === 'packages/runtime')?.imports ?? [];
  const ours = ofRuntime.filter(({ from, inTest }) => from.startsWith(SCOPE) && !inTest).map(({ from }) => from);
  expect(new Set(ours)).toEqual(new Set([`${SCOPE}redis/address`]));
  const importers = (app: string) => ARROWS.flatMap(([dir, allowed]) => (allowed.includes(app) ? [dir] : []));
  expect([...importers('api'), ...importers('worker')]).toEqual(['simulation', 'simulation']);
});

test('when the arrows are followed then they never come back to where they began', () => {
  const dirOf = new Map(PACKAGES.map(({ name, dir }) => [name, dir]));
  const reached = (name: string, path: readonly string[]): string[] =>
    path.includes(name)
      ? [[...path, name].join(' → ')]
      : allowedIn(dirOf.get(name) ?? '').flatMap((next) => reached(next, [...path, name]));
  expect(PACKAGES.flatMap(({ name }) => reached(name, []))).toEqual([]);
});

describe.each(PACKAGES)('$dir', ({ dir, dependencies, devDependencies, imports }) => {
  const scoped = imports.filter(({ from }) => from.startsWith(SCOPE));

  test('when its manifest names a package of ours then the table allows it', () => {
    expect(beyond(dependencies, allowedIn(dir))).toEqual([]);
    expect(beyond(devDependencies, [...allowedIn(dir), ...FOR_TESTS])).toEqual([]);
  });

  test('when its source imports a package of ours then its manifest names it as a dependency', () => {
    // The command line exports no types: an import of types alone is gone when it runs.
    const shipped = scoped.filter(({ inTest, typesOnly }) => !inTest && !(typesOnly && dir === 'apps/cli'));
    expect(
      beyond(
        shipped.map(({ from }) => packageOf(from)),
        dependencies,
      ),
    ).toEqual([]);
    expect(
      beyond(
        scoped.map(({ from }) => packageOf(from)),
        // A package may name itself: its examples import it as its users do.
        [...dependencies, ...devDependencies, basename(dir)],
      ),
    ).toEqual([]);
  });

  test('when it imports by a relative path then the file is its own', () => {
    const outside = imports.filter(
      ({ file, from }) =>
        from.startsWith('.') && relative(resolve(ROOT, dir), resolve(ROOT, dirname(file), from)).startsWith('..'),
    );
    expect(outside.map(({ file, from }) => `${file}: ${from}`)).toEqual([]);
  });
});

test('when the command line imports a package of ours then it is the client, or types alone: it talks to the HTTP API', () => {
  const cli = PACKAGES.find(({ dir }) => dir === 'apps/cli');
  const shipped = cli?.imports.filter(({ from, inTest }) => from.startsWith(SCOPE) && !inTest) ?? [];
  expect(shipped.length).toBeGreaterThan(0);
  const running = shipped.filter(({ typesOnly }) => !typesOnly).map(({ from }) => packageOf(from));
  expect(new Set(running)).toEqual(new Set(['client']));
});

test.each(BEHIND)('when %s is imported then only where the table says', (library, allowed) => {
  const users = PACKAGES.filter(({ imports }) => imports.some(({ from }) => from === library || from.startsWith(`${library}/`)));
  expect(users.length).toBeGreaterThan(0);
  expect(
    beyond(
      users.map(({ dir }) => dir),
      allowed,
    ),
  ).toEqual([]);
});

test('when ARCHITECTURE.md names a file or folder then it is there', () => {
  const named = [...read('ARCHITECTURE.md').matchAll(/`((?:apps|packages|e2e|bench|scripts|docs)\/[\w./-]+)`/g)].map(
    (match) => match[1] ?? '',
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(resolve(ROOT, path)))).toEqual([]);
});
