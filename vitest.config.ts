import { defineConfig } from 'vitest/config';

/** Three tiers: unit (no socket, no real clock), integration (real Redis, S3, sockets), e2e (both apps as processes). */
export default defineConfig({
  test: {
    // Most tests wait for processes and clocks, so there may be more files at once than cores.
    maxWorkers: 4,
    projects: [
      { test: { name: 'unit', include: ['{apps,packages}/*/src/**/*.test.ts'], testTimeout: 20_000 } },
      {
        test: { name: 'integration', include: ['{apps,packages}/*/test/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 60_000 },
      },
      { test: { name: 'e2e', include: ['e2e/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
    ],
  },
});
