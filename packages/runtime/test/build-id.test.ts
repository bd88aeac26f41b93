import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { buildId, VERSION } from '../src/index.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'build-id-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const git = (folder: string, ...args: string[]): string =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim();

const hasGit = (() => {
  try {
    return git('.', '--version') !== '';
  } catch {
    return false;
  }
})();

test.skipIf(!hasGit)(
  'when the service runs from a clone then its build is named by version and commit, however git keeps it',
  () => {
    const clone = newFolder();
    git(clone, 'init', '-q', '-b', 'main');
    git(clone, 'commit', '-q', '--allow-empty', '-m', 'one');
    const named = () => `${VERSION}+${git(clone, 'rev-parse', 'HEAD').slice(0, 12)}`;
    expect(buildId(clone)).toBe(named());
    git(clone, 'pack-refs', '--all');
    expect(buildId(clone)).toBe(named());
    const worktree = join(newFolder(), 'other');
    git(clone, 'worktree', 'add', '-q', '-b', 'other', worktree);
    expect(buildId(worktree)).toBe(named());
    git(clone, 'checkout', '-q', '--detach');
    expect(buildId(clone)).toBe(named());
  },
);

test('when there is no clone, or nobody can read it, then a build is named by its version', () => {
  const folder = newFolder();
  expect(buildId(folder)).toBe(VERSION);
  writeFileSync(join(folder, '.git'), 'gitdir: /nowhere');
  expect(buildId(folder)).toBe(VERSION);
});
