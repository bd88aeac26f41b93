import { chmodSync, mkdirSync } from 'node:fs';

/** Makes `dir` and what is above it, for its owner only; one that is there already becomes so. */
export function privateDirectory(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
}
