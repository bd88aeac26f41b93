import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunOptions, type RunResult, runScript } from '@grsai-jobs/testkit';
import { onTestFinished } from 'vitest';

export const entry = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** `pnpm jobs` as a process against this address. */
export const commandLine =
  (url: string) =>
  async (args: readonly string[], more: Partial<RunOptions> = {}): Promise<RunResult> =>
    await runScript({ entry, args, env: { GRSAI_JOBS_API: url, GRSAI_JOBS_KEY: 'gj_key' }, ...more });

/** A folder that is gone after the test. */
export async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cli-'));
  onTestFinished(async () => await rm(dir, { recursive: true }));
  return dir;
}
