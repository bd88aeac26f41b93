import type { RoundTrip } from '../redis/client/wire.ts';
import type { Scripts } from '../redis/lua/scripts.ts';
import { type Life, live } from './live.ts';
import type { Plan } from './plan.ts';
import { PREFIX } from './prefix.ts';
import { SimulatedProcess } from './process.ts';
import type { World } from './world.ts';

/** What came of living one plan in every order. */
export interface Interleaved {
  /** Different worlds that were met where there was a choice: what stands in Redis, and what each process was told. */
  readonly states: number;
  readonly lives: number;
  /** Whether all of them were met. */
  readonly isWhole: boolean;
  /** The first life that broke a promise, and which way it took at each crossing. */
  readonly broken: { life: Life; ways: readonly number[] } | null;
}

/** What a round trip is about: its command, and the first key of that. */
const textOf = ({ name, args }: RoundTrip['commands'][number]): string =>
  /^eval/i.test(name) ? `script ${args.find((arg) => arg.startsWith('{'))}` : `${name} ${args[0]}`;

/** What a process asks of itself and of its server, what nobody writes or waits for in such a life, and which of two like workers runs a periodic task. */
const UNVARIED = new RegExp(
  [
    '^(?:time|ping|info|xread)\\b',
    `^\\w+ \\{${PREFIX}\\}:(?:pauses|brakes|workers|api-processes|usage|rooms|operations|concurrency|paces|catalogue)\\b`,
    `\\{${PREFIX}-q\\}:(?:maintain:|\\w+:meta$)`,
  ].join('|'),
);

/** Somebody looks where there is nothing, as both workers do again and again. Whoever puts something there wakes or tells them. */
function findsNothing({ redis }: World, command: RoundTrip['commands'][number]): boolean {
  const { store } = redis;
  if (command.args.some((arg) => /job_|evt_/.test(arg))) return false;
  const text = textOf(command);
  const sizeOf = (key: string) => {
    const value = store.find(key)?.value;
    return value?.type === 'zset' ? value.set.size : value?.type === 'list' ? value.items.length : 0;
  };
  const [, queue] = /^script (\{\w+-q\}:\w+:)wait$/.exec(text) ?? [];
  if (queue !== undefined) {
    const looked = command.args.includes(`${queue}check`) ? ['active'] : ['wait', 'prioritized', 'delayed'];
    return looked.every((name) => sizeOf(queue + name) === 0);
  }
  const [, due] = /^zrange (\{\w+\}:(?:due.*|late|storing))$/.exec(text) ?? [];
  if (due !== undefined) return (store.get(due, 'zset')?.value.set.slice(0, 1)[0]?.score ?? Infinity) > redis.now();
  const rooms = ['call', 'submit'].flatMap((name) => [`{${PREFIX}}:waiting:${name}`, `{${PREFIX}}:waiting:${name}:#broke`]);
  return text === `script {${PREFIX}}:inflight` && rooms.every((key) => sizeOf(key) === 0);
}

const isUnvaried = (world: World, { commands }: RoundTrip): boolean =>
  commands.every((command) => UNVARIED.test(textOf(command)) || findsNothing(world, command));

const isTrip = (about: unknown): about is RoundTrip => typeof about === 'object' && about !== null && 'commands' in about;

const labelOf = (about: unknown): string =>
  about instanceof SimulatedProcess ? about.name : isTrip(about) ? `${about.client.name} ${about.attempt}` : '';

const stateOf = (world: World, hasKilled: boolean, ready: readonly unknown[]): string =>
  [
    world.redis.fingerprint(),
    world.time.now(),
    world.time.happened,
    hasKilled,
    ...ready.map(labelOf).sort(),
    ...[...world.workers, ...world.apis].map(({ past }) => past),
  ].join('|');

function kill(world: World, victim: SimulatedProcess): void {
  victim.kill();
  world.workers = world.workers.filter((each) => each !== victim);
  world.story('fault', `SIGKILL ${victim.name}`);
  world.time.after(1000, () => void world.startWorker());
}

/** Every job has ended and everybody knows: the order of what comes after that is the order of nothing. */
function isOver({ redis: { store } }: World): boolean {
  const usage = store.get(`{${PREFIX}}:usage`, 'hash')?.value.fields;
  const some = (name: string) => (store.get(`{${PREFIX}}:${name}`, 'zset')?.value.set.size ?? 0) > 0;
  return (
    usage !== undefined &&
    ![...usage.keys()].some((name) => name.startsWith('live:')) &&
    !some('pending:deliveries') &&
    !some('late')
  );
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

  /** Which of so many ways is taken here. */
  function way(count: number, ready: readonly unknown[], world: World): number {
    const isNew = taken.length >= ways.length;
    if (isNew && o.met?.(stateOf(world, hasKilled, ready))) {
      isAbandoned = true;
      return 0;
    }
    if (isNew) for (let other = 1; other < count; other += 1) open.push([...taken, other]);
    const next = ways[taken.length] ?? 0;
    taken.push(next);
    return next;
  }

  /**
   * What comes to one process concerns no other, so it comes first, or its worker is killed just before. Only what reaches Redis at one moment is met in every
   * order.
   */
  function order(ready: readonly unknown[], world: World): number {
    if (!begun || isAbandoned || isOver(world)) return 0;
    const inside = ready.findIndex((about) => !isTrip(about) || isUnvaried(world, about));
    const about = ready[inside];
    if (inside !== -1) {
      const mayDie = !hasKilled && about instanceof SimulatedProcess && world.workers.some((each) => each === about);
      if (mayDie && way(2, ready, world) === 1) {
        hasKilled = true;
        kill(world, about);
      }
      return inside;
    }
    return ready.length === 1 ? 0 : way(ready.length, ready, world);
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
 * Lives a plan in every order in which what is sent at one moment can arrive, with a worker killed before everything that comes to it, once in a life. A
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
