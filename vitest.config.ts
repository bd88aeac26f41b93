import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** These compare times, or count what a slow machine does more often, so no other test runs beside them. */
const ALONE = ['e2e/neighbours.test.ts', 'e2e/round-trips.test.ts'];

/** What takes a minute or more, mostly waiting, the longest first. Begun last, an idle machine would wait for it. */
const LONG = [
  'operators-story',
  'pauses',
  'batch-kill',
  'crash',
  'frozen',
  'chaos',
  'lives',
  'fuzz',
  'webhooks',
  'cli',
  'large-inputs',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const group = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((a, b) => group(a) - group(b) || rank(a) - rank(b));
  }
}

/** Three tiers: unit (no socket, no real clock), integration (real Redis, S3, sockets), e2e (both apps as processes). */
export default defineConfig({
  test: {
    // Most tests wait for processes and clocks, so there may be more files at once than cores.
    maxWorkers: 5,
    sequence: { sequencer: LongestFirst },
    // Our modules keep no state, so files can share them: to import all of them anew for each file takes a third of the time.
    isolate: false,
    // A busy machine takes many times as long as a quiet one, and no test is about that: these limits end what would never end.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // Node keeps compiled sources here: starting the processes of a test takes a third less CPU time.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('.data/test/compile-cache', import.meta.url)) },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{apps,packages}/*/src/**/*.test.ts', '{simulation/src,bench}/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['{apps,packages}/*/test/**/*.test.ts', 'simulation/test/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...ALONE],
          globalSetup: 'e2e/compile-apps.ts',
          testTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'times',
          include: ALONE,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
