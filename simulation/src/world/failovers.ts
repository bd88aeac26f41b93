import type { Moment } from '../redis/data/store.ts';
import { killOne } from './faults.ts';
import type { World } from './world.ts';

/** Failovers of Redis in one life. */
export interface FailoversPlan {
  /** Ms between two, about. */
  readonly everyMs: number;
  /** What the replica had not got yet is at most so old, in ms. What was confirmed to somebody it has. */
  readonly lagMs: number;
  /** One of these dies in the same moment. */
  readonly kills: readonly ('workers' | 'apis')[];
}

const REMEMBER_EVERY_MS = 50;

/** Another server takes the place of Redis, again and again, and lacks what was written last. Answers how they end. */
export function causeFailovers(world: World, plan: FailoversPlan): { heal: () => void; count: () => number } {
  const { time, redis } = world;
  const random = world.random.fork('failovers');
  let moments: { at: number; moment: Moment }[] = [];
  let over = false;
  let count = 0;

  function remember(): void {
    if (over) return;
    moments = moments.filter(({ at }) => at >= time.now() - plan.lagMs - REMEMBER_EVERY_MS);
    moments.push({ at: time.now(), moment: redis.snapshot() });
    redis.forget(moments[0]?.moment);
    time.after(REMEMBER_EVERY_MS, remember);
  }

  /** A moment that the replica may have been in. */
  function seen(): Moment {
    const { confirmed } = redis;
    const possible = moments.map(({ moment }) => moment).filter(({ changes }) => changes >= (confirmed?.changes ?? 0));
    return possible.length === 0 ? (confirmed ?? redis.snapshot()) : random.pick(possible);
  }

  function next(): void {
    time.after(random.whole(Math.floor(plan.everyMs / 2), Math.floor(plan.everyMs * 1.5)), () => {
      if (over) return;
      count += 1;
      const forgotten = world.failover(seen());
      moments = [];
      world.story('fault', `failover ${count}`, { forgotten });
      const victim = plan.kills.length > 0 ? killOne(world, random, plan.kills) : null;
      if (victim !== null) world.story('fault', `SIGKILL ${victim} in the same moment`);
      time.after(random.whole(50, 2000), () => {
        world.network.away = false;
      });
      next();
    });
  }

  remember();
  next();
  return {
    count: () => count,
    heal: () => {
      over = true;
      world.network.away = false;
      redis.forget();
    },
  };
}
