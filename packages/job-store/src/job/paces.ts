import { DURATION_DECAY, type DurationHistogram } from '@grsai-jobs/jobs';
import { defineScript, pipelined, type Redis, type RunScript } from '@grsai-jobs/redis';

/** A kind of which no task ended for this long is forgotten. */
const KIND_LIFE_MS = 30 * 24 * 3600 * 1000;
/** Callers may name any model; more kinds than this are not learned. */
const MOST_KINDS = 200;

const learn = defineScript({
  lua: new URL('./learn.lua', import.meta.url),
  keys: ['pace', 'kinds'],
  args: ['kind', 'now', 'life_ms', 'most_kinds', 'decay', '...counts'],
  whenFull: 'fails',
});

export type Paces = ReturnType<typeof createPaces>;

/** How long image tasks take, learned by all workers together: one small hash for each model and size. */
export function createPaces(
  redis: Redis,
  run: RunScript,
  keys: { pace(kind: string): string; readonly paces: string },
  clock: { now(): number },
) {
  return {
    /** Counts tasks of a kind, by bucket of their duration. `false`: there are too many kinds already. */
    async learn(kind: string, counts: ReadonlyMap<number, number>): Promise<boolean> {
      const limits = { life_ms: KIND_LIFE_MS, most_kinds: MOST_KINDS, decay: DURATION_DECAY };
      const args = { kind, now: clock.now(), ...limits, counts: [...counts].flat() };
      return (await run(learn, { pace: keys.pace(kind), kinds: keys.paces }, args)) === 1;
    },

    /** What is known of every kind, in two round trips. */
    async all(): Promise<Map<string, DurationHistogram>> {
      const kinds = await redis.zrange(keys.paces, '0', '-1');
      if (kinds.length === 0) return new Map();
      const replies = await pipelined(redis, kinds, (pipeline, kind) => pipeline.hgetall(keys.pace(kind)));
      return new Map(kinds.map((kind, i) => [kind, histogramOf(replies[i] as Record<string, string>)]));
    },
  };
}

function histogramOf({ n = '0', ...weights }: Record<string, string>): DurationHistogram {
  return {
    tasks: Number(n),
    weights: new Map(Object.entries(weights).map(([bucket, weight]) => [Number(bucket), Number(weight)])),
  };
}
