import type { Scripts } from '../redis/lua/scripts.ts';
import { type Life, live } from './live.ts';
import type { Plan } from './plan.ts';
import type { World } from './world.ts';

/** What came of living one plan in every order. */
export interface Interleaved {
  /** Different worlds that were met: what stands in Redis, and what each process was told. */
  readonly states: number;
  readonly lives: number;
  /** Whether all of them were met. */
  readonly isWhole: boolean;
  /** The first life that broke a promise, and which way it took at each crossing. */
  readonly broken: { life: Life; ways: readonly number[] } | null;
}

const stateOf = (world: World, hasKilled: boolean): string =>
  [
    world.redis.fingerprint(),
    world.time.now(),
    world.time.happened,
    hasKilled,
    ...[...world.workers, ...world.apis].map(({ past }) => past),
  ].join('|');

function killAWorker(world: World): void {
  const victim = world.workers.find(({ state }) => state === 'running');
  if (victim === undefined) return;
  victim.kill();
  world.workers = world.workers.filter((each) => each !== victim);
  world.story('fault', `SIGKILL ${victim.name}`);
  world.time.after(1000, () => void world.startWorker());
}

/** One life that takes these ways, and the first of each further one. `met`: a state that was met before ends it. */
async function walk(
  plan: Plan,
  ways: readonly number[],
  o: { scripts?: Scripts; tells?: boolean; met?: (state: string) => boolean },
) {
  const taken: number[] = [];
  const open: number[][] = [];
  let begun = false;
  let hasKilled = false;
  let isAbandoned = false;

  function order(count: number, world: World): number {
    const choices = count + (hasKilled ? 0 : 1);
    if (!begun || isAbandoned || choices === 1) return 0;
    const isNew = taken.length >= ways.length;
    if (isNew && o.met?.(stateOf(world, hasKilled))) {
      isAbandoned = true;
      return 0;
    }
    if (isNew) for (let way = 1; way < choices; way += 1) open.push([...taken, way]);
    const way = ways[taken.length] ?? 0;
    taken.push(way);
    if (way < count) return way;
    hasKilled = true;
    killAWorker(world);
    return 0;
  }

  const atStep = () => {
    begun = true;
  };
  const life = await live(plan, { ...o, order, isAbandoned: () => isAbandoned, atStep });
  return { life, taken, open };
}

/** Lives one life again by the ways that it took. */
export const liveBy = async (plan: Plan, ways: readonly number[], o: { tells?: boolean } = {}): Promise<Life> =>
  (await walk(plan, ways, o)).life;

/**
 * Lives a plan in every order in which what is sent at one moment can arrive, with a worker killed at every moment, once in a life. A
 * life that comes to where another was before is left there.
 */
export async function interleave(plan: Plan, o: { scripts?: Scripts; until?: number } = {}): Promise<Interleaved> {
  const seen = new Set<string>();
  const open: (readonly number[])[] = [[]];
  let lives = 0;
  const met = (state: string) => {
    if (seen.has(state)) return true;
    seen.add(state);
    return false;
  };
  for (let ways = open.pop(); ways !== undefined; ways = open.pop()) {
    if (performance.now() >= (o.until ?? Number.POSITIVE_INFINITY))
      return { states: seen.size, lives, isWhole: false, broken: null };
    const walked = await walk(plan, ways, { ...o, met });
    lives += 1;
    if (walked.life.violations.length > 0)
      return { states: seen.size, lives, isWhole: false, broken: { life: walked.life, ways: walked.taken } };
    open.push(...walked.open);
  }
  return { states: seen.size, lives, isWhole: true, broken: null };
}
