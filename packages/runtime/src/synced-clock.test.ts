import { expect, test } from 'vitest';
import { createSyncedClock } from './synced-clock.ts';

const START = 1_800_000_000_000;

/** Redis, the machine and what has passed, each moved by the test. */
function setUp(o: { tripMs?: number; wallAheadMs?: number } = {}) {
  const world = { elapsed: 1000, redisAheadMs: 0, wallAheadMs: o.wallAheadMs ?? 0, tripMs: o.tripMs ?? 2, away: false };
  const real = () => START + world.elapsed;
  const ticks: (() => void)[] = [];
  const errors: Error[] = [];
  const clock = createSyncedClock({
    readTime: async () => {
      if (world.away) throw new Error('away');
      world.elapsed += world.tripMs / 2;
      const said = real() + world.redisAheadMs;
      world.elapsed += world.tripMs / 2;
      return said;
    },
    wall: { now: () => real() + world.wallAheadMs },
    timers: {
      elapsed: () => world.elapsed,
      every: (_ms, run) => {
        ticks.push(run);
        return () => void ticks.splice(0);
      },
    },
    onError: (error) => void errors.push(error),
  });
  return { world, clock, real, ticks, errors };
}

test('when the clock of the machine is set by eight days then the time goes on as Redis has it, and the trouble is named', async () => {
  const { world, clock, real } = setUp();
  await clock.sync();
  world.wallAheadMs = 8 * 24 * 3600_000;
  world.elapsed += 60_000;
  expect(Math.abs(clock.now() - real())).toBeLessThanOrEqual(2);
  expect(clock.trouble()).toMatch(/8 days ahead of that of Redis/);
  world.wallAheadMs = -3600_000;
  expect(clock.trouble()).toMatch(/60 min behind that of Redis/);
  world.wallAheadMs = 0;
  expect(clock.trouble()).toBeUndefined();
});

test.each([
  { ahead: 4990, agrees: true },
  { ahead: -4990, agrees: true },
  { ahead: 5010, agrees: false },
  { ahead: -5010, agrees: false },
])('when the clock of the machine is $ahead ms ahead then that they agree is $agrees', async ({ ahead, agrees }) => {
  const { clock } = setUp({ wallAheadMs: ahead });
  await clock.sync();
  expect(clock.trouble() === undefined).toBe(agrees);
});

test('before the first sync the process takes no work', () => {
  expect(setUp().clock.trouble()).toMatch(/not known yet/);
});

test('when a round trip takes long then what a shorter one has said stays', async () => {
  const { world, clock, real } = setUp({ tripMs: 2 });
  await clock.sync();
  world.tripMs = 4000;
  await clock.sync();
  expect(Math.abs(clock.now() - real())).toBeLessThanOrEqual(2);
  expect(clock.roundTripMs()).toBe(4000);
});

test('when the clock of Redis is set then the next sync follows it', async () => {
  const { world, clock, real } = setUp({ tripMs: 2 });
  await clock.sync();
  world.redisAheadMs = 8000;
  world.tripMs = 10;
  await clock.sync();
  expect(Math.abs(clock.now() - real() - 8000)).toBeLessThanOrEqual(6);
});

test('when Redis does not answer then the time goes on, and a later sync comes by itself', async () => {
  const { world, clock, real, ticks, errors } = setUp();
  await clock.sync();
  world.away = true;
  world.elapsed += 5000;
  for (const tick of ticks) tick();
  await expect.poll(() => errors).toHaveLength(1);
  expect(Math.abs(clock.now() - real())).toBeLessThanOrEqual(2);
  await clock.stop();
  expect(ticks).toHaveLength(0);
});
