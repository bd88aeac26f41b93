import { startRedis } from '@grsai-jobs/testkit';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACTS, Scene } from './acts.ts';
import { mirrored } from './mirror.ts';

/** How many sequences are tried; for a long run set it in the environment. */
const RUNS = Number(process.env['SIMULATION_RUNS'] ?? 12);

let server: Awaited<ReturnType<typeof startRedis>>;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url, { protocol: 2 });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Something to work on: two jobs and a batch. */
const BEGIN: readonly (readonly [act: number, n: number])[] = [
  [0, 1],
  [0, 2],
  [16, 1],
];

const CHOICE = fc.tuple(fc.nat({ max: ACTS.length - 1 }), fc.nat({ max: 1e6 }));

test(
  'when the scripts of the job store run in any order then both answer the same, and the same is left',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(CHOICE, { minLength: 20, maxLength: 80, size: 'max' }), async (choices) => {
        const kit = await mirrored(redis);
        const scene = new Scene(kit);
        for (const [act, n] of [...BEGIN, ...choices]) {
          await ACTS[act]?.(scene, n);
          expect(kit.differences).toEqual([]);
        }
        const { simulated, real } = await kit.dumps();
        expect(simulated).toEqual(real);
        // Each of those three asks Redis at least once.
        expect(kit.compared()).toBeGreaterThan(BEGIN.length);
      }),
      { numRuns: RUNS },
    );
  },
  30_000 + 2000 * RUNS,
);
