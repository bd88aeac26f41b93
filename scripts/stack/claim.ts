import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A directory for the state of one running stack. */
export interface Claim {
  readonly dir: string;
  release(): void;
}

/**
 * Claims `base`, or `base/2`, `base/3` … when other stacks run in the ones before. The claim is a lock of the operating
 * system (SQLite's, on an empty database), which a killed process cannot leave behind.
 */
export function claimDirectory(base: string): Claim {
  for (let number = 1; ; number++) {
    const dir = number === 1 ? base : join(base, String(number));
    mkdirSync(dir, { recursive: true });
    const lock = new DatabaseSync(join(dir, 'lock'), { timeout: 0 });
    try {
      lock.exec('BEGIN EXCLUSIVE');
      return { dir, release: () => lock.close() };
    } catch (error) {
      lock.close();
      if (!(error instanceof Error && error.message.includes('locked'))) throw error;
    }
  }
}
