import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from './version.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Names this build: `0.1.0+4c067ee3d1aa`, the version and the commit that the clone stands at; the version alone where there is no clone, as in an
 * image, which is told its name by `BUILD_ID`. It needs no git. Changes that are not committed are not seen.
 */
export function buildId(root = ROOT): string {
  const commit = commitOf(root);
  return commit === undefined ? VERSION : `${VERSION}+${commit.slice(0, 12)}`;
}

const textOf = (...path: string[]): string => readFileSync(join(...path), 'utf8').trim();

function commitOf(root: string): string | undefined {
  try {
    const folder = gitFolder(root);
    const head = textOf(folder, 'HEAD');
    const ref = /^ref: (.+)$/.exec(head)?.[1];
    return asCommit(ref === undefined ? head : commitAt(folder, ref));
  } catch {
    return undefined;
  }
}

/** Of a worktree `.git` is a file that says where its folder is. */
function gitFolder(root: string): string {
  const at = join(root, '.git');
  return statSync(at).isDirectory() ? at : resolve(root, textOf(at).replace(/^gitdir: /, ''));
}

/** A branch has a file of its own, or a line among the packed ones; those of a worktree are in the folder of its clone. */
function commitAt(folder: string, ref: string): string | undefined {
  const common = existsSync(join(folder, 'commondir')) ? resolve(folder, textOf(folder, 'commondir')) : folder;
  if (existsSync(join(common, ref))) return textOf(common, ref);
  const packed = textOf(common, 'packed-refs').split('\n');
  return packed.find((line) => line.endsWith(` ${ref}`))?.split(' ')[0];
}

const asCommit = (text: string | undefined): string | undefined =>
  text !== undefined && /^[0-9a-f]{40,64}$/.test(text) ? text : undefined;
