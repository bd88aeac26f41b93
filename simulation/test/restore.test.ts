import { expect, test } from 'vitest';
import { createRandom } from '../src/random.ts';
import { live } from '../src/world/live.ts';
import { planOf } from '../src/world/plan.ts';
import { timelineOf } from '../src/world/timeline.ts';

/** A life of a fresh seed, or of SEED. */
test('when Redis is restored from a backup then nothing that was paid for since is paid for again by itself', {
  timeout: 120_000,
}, async () => {
  const seed = process.env['SEED'] ?? Date.now().toString(36);
  const drawn = planOf(seed, createRandom(seed).fork('plan'), { jobs: 200, smooth: true });
  // A key of a caller may be forgotten, and so may a retry.
  const plan = { ...drawn, workers: 2, forMs: 120_000, resends: 0, retries: 0 };
  const o = { restore: { backupMs: 40_000, restoredMs: 80_000 }, holds: /^paid |^the restore/ };
  const life = await live(plan, o);
  const story = life.violations.length === 0 ? '' : `seed ${seed}\n${timelineOf(await live(plan, { ...o, tells: true }))}`;
  expect(story).toBe('');
});
