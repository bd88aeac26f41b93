import {
  BRAKE_RULES,
  type BrakeState,
  type Caller,
  isOfOneTenant,
  NO_BRAKE,
  type Noted,
  noteAnswer,
  noteRefusal,
  OTHERS_MS,
  openBrakes,
  type UnknownRefusal,
} from '@grsai-jobs/jobs';
import { defineScript, luaTable, type Redis, type RunScript, readLua } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import { operationId } from '../operation/operations.ts';

/** Kind of the operation that wakes the jobs of a brake that has opened. */
export const WAKE_OPERATION = 'wake-braked';
const WAKE = operationId(WAKE_OPERATION, 'all');

/** So many of the jobs of the last minutes are looked at to see whose they were. */
const LOOK_AT = 500;

/** A job that waits for a brake, and where its entry is. */
export interface BrakedEntry {
  queue: 'call' | 'submit';
  id: string;
  step: number;
}

const BRAKE_NUMBERS = luaTable('brake_rules', BRAKE_RULES);

/** How a script says which jobs wait for a brake; shared by the one that starts calls. */
export const BRAKE_LUA = BRAKE_NUMBERS + readLua(new URL('./braked.lua', import.meta.url));

const noteScript = defineScript({
  lua: new URL('./brake-note.lua', import.meta.url),
  keys: ['brakes', 'operations', 'wake'],
  args: ['before?', 'after?', 'order'],
  shared: [BRAKE_NUMBERS],
  whenFull: 'runs',
});

export type Brakes = ReturnType<typeof createBrakes>;

/** `null` where nothing was refused. */
export const brakeStateOf = (text: unknown): BrakeState | null =>
  typeof text === 'string' && text !== '' ? (JSON.parse(text) as BrakeState) : null;

const textOf = (state: BrakeState): string =>
  state.streaks.length === 0 && state.brakes.length === 0 ? '' : JSON.stringify(state);

/** Keeps what the rules of the brake (packages/jobs) know of all workers' calls. `start_call` asks it before each call. */
export function createBrakes(
  redis: Redis,
  run: RunScript,
  keys: Keys,
  clock: { now(): number },
  tenants: { all(): Promise<readonly string[]> },
) {
  const read = async (): Promise<string> => (await redis.hmget(keys.brakes, 'state'))[0] ?? '';

  /** Applies a rule to what stands there, again when another process was quicker. */
  async function note(
    rule: (state: BrakeState) => Noted | Promise<Noted>,
    { token, lasts = false }: { token?: string; lasts?: boolean },
  ): Promise<Noted> {
    for (;;) {
      const before = await read();
      const noted = await rule(brakeStateOf(before) ?? NO_BRAKE);
      const after = textOf(noted.state);
      // Nothing new; and nobody can have gone ahead where there is no brake.
      if (before === after && (token === undefined || noted.state.brakes.length === 0)) return noted;
      const opened = noted.opened.map(({ id }) => id);
      const order = { now: clock.now(), token, opened, wake: opened.length > 0 ? WAKE : undefined };
      const written = await run(
        noteScript,
        { brakes: keys.brakes, operations: keys.operations, wake: keys.operation(WAKE) },
        { before, after, order: JSON.stringify(order) },
        { lasts },
      );
      if (written === 1) return noted;
    }
  }

  /** Whether another tenant has jobs, or had some within the last minutes. */
  async function othersWork(tenant: string): Promise<boolean> {
    const since = clock.now() - OTHERS_MS;
    const turns = await redis.hgetall(keys.turns);
    const named = Object.keys(turns).filter((each) => !each.startsWith('#'));
    const others = [...new Set([...(await tenants.all()), ...named])].filter((each) => each !== tenant);
    const [open, ended, ...newest] = await Promise.all([
      redis.zrange(keys.inflight, '0', String(LOOK_AT - 1)),
      redis.zrange(keys.ended, '+inf', String(since), 'BYSCORE', 'REV', 'LIMIT', 0, LOOK_AT),
      ...others.map((each) => redis.zcount(keys.tenantJobs(each), since, '+inf')),
    ]);
    // A turn that is still to come belongs to a job that is queued.
    if (others.some((each) => Number(turns[each] ?? 0) > Number(turns['#v'] ?? 0))) return true;
    if (newest.some((count) => count > 0)) return true;
    const theirs = await Promise.all([...open, ...ended].map((id) => redis.hget(keys.job(id), 'tenant')));
    return theirs.some((each) => each !== null && each !== tenant);
  }

  return {
    /** A call was refused with a text that no row knows. `token` is the call's. */
    refused: (refusal: UnknownRefusal, token: string): Promise<Noted> =>
      note(async (state) => noteRefusal(state, refusal, isOfOneTenant(state, refusal) && (await othersWork(refusal.tenant))), {
        token,
      }),

    /** A call was answered well, or refused with words that are known. */
    answered: (caller: Caller, call: { begunAt: number; token: string }): Promise<Noted> =>
      note((state) => noteAnswer(state, caller, call.begunAt), { token: call.token }),

    /** A call ended in a way that says nothing of its model; when it had gone ahead, another may. */
    saidNothing: (token: string): Promise<Noted> =>
      note((state) => ({ state, held: false, closed: null, opened: [] }), { token }),

    /** An operator opens those of a queue, of one model or (`null`) of all. */
    open: (queue: string, model: string | null): Promise<Noted> =>
      note((state) => openBrakes(state, queue, model), { lasts: true }),

    state: async (): Promise<BrakeState> => brakeStateOf(await read()) ?? NO_BRAKE,

    /** When the last of the jobs that wait came to that, by the time of Redis; `null`: none waits. */
    async newest(): Promise<number | null> {
      const [, at] = await redis.zrange(keys.braked, '0', '0', 'REV', 'WITHSCORES');
      return at === undefined ? null : Number(at);
    },

    /** Some of the jobs that wait, those that have since `until` at the latest. */
    async waiting(count: number, until = Number.POSITIVE_INFINITY): Promise<BrakedEntry[]> {
      const last = until === Number.POSITIVE_INFINITY ? '+inf' : String(until);
      const members = await redis.zrange(keys.braked, '-inf', last, 'BYSCORE', 'LIMIT', 0, count);
      return members.map((member) => {
        const [queue, id = '', step] = member.split(' ');
        return { queue: queue as BrakedEntry['queue'], id, step: Number(step) };
      });
    },

    /** They were woken. */
    async forget(entries: readonly BrakedEntry[]): Promise<void> {
      if (entries.length > 0) await redis.zrem(keys.braked, ...entries.map(({ queue, id, step }) => `${queue} ${id} ${step}`));
    },
  };
}
