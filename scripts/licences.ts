// Holds the licences of what the apps ship against the list below, and `docs/licences.md` against what is installed; `--write` writes that file.
// Without a network: it reads what `node_modules` says. `--root` looks at another workspace.
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { root as here } from './stack/root.ts';

/** Licences (SPDX) that ask for no more than to be named. */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'Python-2.0', 'Unlicense'];

const HEAD = `# Licences

What the apps ship, by name; \`node scripts/licences.ts --write\` makes this file, and a test holds it against what is installed. Binaries for one
platform are left out: they come from a package in the list, under its licence.

`;

interface Manifest {
  readonly name?: string;
  readonly license?: unknown;
  readonly licenses?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly os?: unknown;
  readonly cpu?: unknown;
}

const { values } = parseArgs({
  options: { root: { type: 'string', default: here }, write: { type: 'boolean', default: false } },
});
const file = join(values.root, 'docs', 'licences.md');
const licences = shipped(join(values.root, 'apps'), leftOut(join(values.root, 'pnpm-workspace.yaml')));
const refused = [...licences].filter(([, licence]) => !isAllowed(licence));
for (const [name, licence] of refused)
  console.log(`${name} has the licence ${licence}, which is not allowed: see ALLOWED in scripts/licences.ts`);

const text = HEAD + table([['package', 'licence'], ...[...licences].map(([name, licence]) => [`\`${name}\``, licence] as const)]);
if (values.write) writeFileSync(file, text);
const stale = rows(existsSync(file) ? readFileSync(file, 'utf8') : '') !== rows(text);
if (stale) console.log('docs/licences.md does not say what is installed: node scripts/licences.ts --write');
if (refused.length === 0 && !stale) console.log(`${licences.size} packages, all under licences that are allowed`);
process.exit(refused.length > 0 || stale ? 1 : 0);

/** As the formatter writes it. */
function table(cells: readonly (readonly [string, string])[]): string {
  const [first, second] = [0, 1].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) as [number, number];
  const lines = cells.map(([one, two]) => `| ${one.padEnd(first)} | ${two.padEnd(second)} |\n`);
  lines.splice(1, 0, `| ${'-'.repeat(first)} | ${'-'.repeat(second)} |\n`);
  return lines.join('');
}

/** The rows of the table, however wide. */
function rows(markdown: string): string {
  const lines = markdown.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) => line.replace(/\s+/g, ' ')).join('\n');
}

/** What `overrides` of the workspace leaves out, as `package>dependency`. */
function leftOut(workspace: string): ReadonlySet<string> {
  const text = existsSync(workspace) ? readFileSync(workspace, 'utf8') : '';
  return new Set([...text.matchAll(/^ {2}"([^"]+>[^"]+)": "-"$/gm)].map(([, pair = '']) => pair));
}

/** Every package that some app needs to run, with its licence, by name. */
function shipped(apps: string, left: ReadonlySet<string>): Map<string, string> {
  const seen = new Set<string>();
  const found = new Map<string, string>();
  const visit = (dir: string): void => {
    if (seen.has(dir)) return;
    seen.add(dir);
    const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Manifest;
    const { name = dir, dependencies = {}, optionalDependencies = {} } = manifest;
    if (!name.startsWith('@grsai-jobs/') && manifest.os === undefined && manifest.cpu === undefined)
      found.set(name, licenceOf(manifest));
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = find(dir, dependency);
      if (at !== undefined) visit(at);
      else if (!(dependency in optionalDependencies) && !left.has(`${name}>${dependency}`))
        throw new Error(`${dependency} of ${name} is not installed`);
    }
  };
  for (const app of readdirSync(apps)) if (existsSync(join(apps, app, 'package.json'))) visit(realpathSync(join(apps, app)));
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** As Node finds it: in the nearest `node_modules` above. */
function find(from: string, name: string): string | undefined {
  for (let dir = from; ; dir = dirname(dir)) {
    const path = join(dir, 'node_modules', name);
    if (existsSync(join(path, 'package.json'))) return realpathSync(path);
    if (dir === dirname(dir)) return undefined;
  }
}

/** An expression of SPDX; older manifests have objects with a `type`. */
function licenceOf({ license, licenses }: Manifest): string {
  const all = [license ?? licenses ?? 'none'].flat() as unknown[];
  return all
    .map((one) => (typeof one === 'object' && one !== null && 'type' in one ? String(one.type) : String(one)))
    .join(' AND ');
}

/** Of alternatives one is enough; of what is joined, or joined and alternative in one, each counts. */
function isAllowed(expression: string): boolean {
  const names = expression.replace(/[()]/g, '').split(/\s+(?:OR|AND|WITH)\s+/i);
  const alternatives = /\sOR\s/i.test(expression) && !/\s(?:AND|WITH)\s/i.test(expression);
  return alternatives ? names.some((name) => ALLOWED.includes(name)) : names.every((name) => ALLOWED.includes(name));
}
