import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * What runs beside this release while it is rolled out: the tag of the release before, or as long as there is none a commit of the main
 * line. Move it on with each release.
 */
const PREVIOUS_RELEASE = process.env['PREVIOUS_RELEASE'] ?? 'edc86373e72a13b3e7067179a947a91569509bdf';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Beside the compile cache: it is made again when it is gone. */
const KEPT = join(ROOT, '.data/test/releases');

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The files of the release before, ready to run, and its schema version; or why it cannot run here. */
export type Previous = { readonly root: string; readonly schema: number } | { readonly missing: string };

/** Takes the release before out of this clone. Its dependencies are those that are installed here. */
export function previousRelease(): Previous {
  const git = (...args: string[]) => execFileSync('git', ['-C', ROOT, ...args], { stdio: 'pipe', maxBuffer: 2 ** 28 });
  let commit: string;
  try {
    commit = git('rev-parse', '--verify', '--quiet', `${PREVIOUS_RELEASE}^{commit}`).toString().trim();
  } catch {
    return { missing: `this clone has no ${PREVIOUS_RELEASE}; git fetch --unshallow --tags brings it` };
  }
  const root = join(KEPT, commit);
  if (!existsSync(root)) {
    mkdirSync(KEPT, { recursive: true });
    const made = mkdtempSync(join(KEPT, 'new-'));
    execFileSync('tar', ['-x', '-C', made], { input: git('archive', commit, 'apps', 'packages', 'package.json') });
    const missing = linkDependencies(made);
    if (missing !== undefined) {
      rmSync(made, { recursive: true });
      return { missing: `${PREVIOUS_RELEASE} needs ${missing}, which is not installed here` };
    }
    moveTo(made, root);
  }
  return { root, schema: schemaOf(root) };
}

/** The schema version of the release whose files these are. */
export function schemaOf(root = ROOT): number {
  const text = readFileSync(join(root, 'packages/job-store/src/layout/schema.ts'), 'utf8');
  return Number(/SCHEMA_VERSION = (\d+);/.exec(text)?.[1]);
}

/** Another run may have been quicker. */
function moveTo(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
    rmSync(from, { recursive: true });
  }
}

const packagesIn = (root: string): { folder: string; manifest: Manifest }[] =>
  ['apps', 'packages'].flatMap((parent) =>
    readdirSync(join(root, parent)).flatMap((name) => {
      const folder = join(root, parent, name);
      const file = join(folder, 'package.json');
      return existsSync(file) ? [{ folder, manifest: JSON.parse(readFileSync(file, 'utf8')) as Manifest }] : [];
    }),
  );

/** Links what each package asks for: its own kind in `root`, libraries where they are installed. Answers the first that is not. */
function linkDependencies(root: string): string | undefined {
  const packages = packagesIn(root);
  const own = new Map(packages.map(({ folder, manifest }) => [manifest.name, folder]));
  const installed = [...packagesIn(ROOT).map(({ folder }) => folder), ROOT, join(ROOT, 'node_modules/.pnpm')];
  for (const { folder, manifest } of packages) {
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const found = own.get(name) ?? installed.map((at) => join(at, 'node_modules', name)).find((at) => existsSync(at));
      if (found === undefined) return name;
      const link = join(folder, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      // Where it stands now: these files move once more, and links between packages have to go with them.
      symlinkSync(own.has(name) ? join(relativeRoot(name), found.slice(root.length + 1)) : realpathSync(found), link);
    }
  }
  return undefined;
}

/** From `<parent>/<package>/node_modules/<name>` up to the root. */
const relativeRoot = (name: string): string => (name.includes('/') ? '../../../..' : '../../..');
