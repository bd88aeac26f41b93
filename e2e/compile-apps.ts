import { fileURLToPath } from 'node:url';
import { runScript } from '@grsai-jobs/testkit';
import type { TestProject } from 'vitest/node';

/**
 * Has Node compile both apps into its cache before the first test: most of the processes that a test starts are killed, and
 * a killed one leaves nothing there.
 */
export async function setup({ config }: TestProject): Promise<void> {
  const { NODE_COMPILE_CACHE = '' } = config.env;
  const entries = ['api', 'worker'].map((app) => fileURLToPath(new URL(`../apps/${app}/src/main.ts`, import.meta.url)));
  await Promise.all(entries.map((entry) => runScript({ entry, args: ['--help'], env: { NODE_COMPILE_CACHE } })));
}
