import { expect, test } from 'vitest';
import { Scripts } from '../src/redis/lua/scripts.ts';
import { FAILOVER_KINDS, failoverLife } from '../src/world/failover-lives.ts';
import { live } from '../src/world/live.ts';
import { timelineOf } from '../src/world/timeline.ts';

/** One life of a fresh seed, or of SEED, of each kind; `pnpm simulate --failovers KIND` lives as many as one likes. */
const SEED = process.env['SEED'] ?? Date.now().toString(36);

test.each(FAILOVER_KINDS)(
  'when failovers forget the last writes (%s) then no promise is broken',
  { timeout: 120_000 },
  async (kind) => {
    const { plan, options } = failoverLife(SEED, kind);
    const life = await live(plan, { ...options, scripts: new Scripts() });
    const story = life.violations.length === 0 ? '' : timelineOf(await live(plan, { ...options, tells: true }));
    expect(story && `pnpm simulate --failovers ${kind} --seed ${SEED}\n${story}`).toBe('');
  },
);
