import { type PaidQueue, type QueueMessage, TRANSITIONS, type Waiting, type WaitingReason } from '@grsai-jobs/jobs';
import { defineScript, pipelined, type Redis, type RunScript, readLua } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import { type AccountLimits, limitsOf } from './account-limits.ts';

const part = (name: string) => readLua(new URL(`./${name}.lua`, import.meta.url));

/** A place in a room is its priority, high 0, normal 1 and low 2, times this, and the time at which its job was made. */
const PRIORITY = 1e14;

const PRIORITY_LUA = `local PRIORITY = ${PRIORITY}\n`;

/** Shared by scripts that know where jobs wait. They have the key `waiting`. */
export const PLACES_LUA = `${PRIORITY_LUA}${part('places')}`;

/** Shared by scripts that count the queued jobs of a tenant. They have the key `waiting`. */
export const QUEUE_LIMIT_LUA = `${PLACES_LUA}${part('queue-limit')}`;

/** Shared by the scripts after which a job waits, or waits no longer. They have the keys `inflight`, `waiting`, `turns` and `due`. */
export const ROOM_LUA = `local SEAT_HELD_MS = ${TRANSITIONS.let_in.due}\n${QUEUE_LIMIT_LUA}${part('permits')}${part('room')}`;

const HOLDS_LUA = part('holds');

/** So many tenants are seen to in one script. */
const TENANTS = 100;

/** Of about so many it is noted in one script whether their first job could begin. */
const LOOKED_AT = 500;

const letInScript = defineScript({
  lua: new URL('./let-in.lua', import.meta.url),
  keys: ['inflight', 'waiting', 'turns', 'due', 'rpm', 'spent'],
  args: ['order'],
  shared: [ROOM_LUA, HOLDS_LUA],
  whenFull: 'runs',
});

const queuedScript = defineScript({
  lua: new URL('./queued.lua', import.meta.url),
  keys: ['waiting'],
  args: ['tenant'],
  shared: [QUEUE_LIMIT_LUA],
  whenFull: 'runs',
});

const waitingScript = defineScript({
  lua: new URL('./waiting.lua', import.meta.url),
  keys: ['inflight', 'waiting', 'rpm'],
  args: ['order'],
  shared: [QUEUE_LIMIT_LUA, part('permits'), HOLDS_LUA],
  whenFull: 'reads',
});

type Row = readonly [queue: string, id: string, step: string | number, turn: string | number, priority: string, batch: string];

/** The jobs that a script has let in. Whoever ran it adds their queue entries; one that is lost is added by a repair. */
export const letInOf = (rows: unknown): QueueMessage[] =>
  Array.isArray(rows)
    ? (rows as Row[]).map(([queue, id, step, turn, priority, batch]) => ({
        queue: queue as PaidQueue,
        id,
        step: Number(step),
        batch_id: batch === '' ? null : batch,
        turn: Number(turn),
        priority: priority as QueueMessage['priority'],
        delayMs: 0,
      }))
    : [];

export type Rooms = ReturnType<typeof createRooms>;

/** Rooms in which the queued jobs of a tenant wait for their turn, one for each queue. */
export function createRooms(redis: Redis, run: RunScript, keys: Keys, clock?: { now(): number }) {
  /** Jobs in a room and in the batches that wait there. */
  async function waitingIn(queue: PaidQueue, room: string): Promise<number> {
    const [jobs, members] = await Promise.all([redis.zcard(room), redis.zrange(`${room}:batches`, '0', '-1')]);
    const lines = await pipelined(redis, members, (pipeline, member) => {
      const [batch = '', rank = ''] = member.split(' ');
      return pipeline.llen(keys.batchLines(batch, queue, rank));
    });
    return jobs + lines.reduce<number>((sum, n) => sum + Number(n), 0);
  }

  return {
    /**
     * Lets in what nothing else does: a crash has lost a permit, fewer tenants ask than before, a limit was raised, or a tenant has credits again. Answers the jobs that
     * need a queue entry; at most 50 of the tenants whose turn it is.
     */
    async letIn(queue: PaidQueue, limits?: AccountLimits): Promise<QueueMessage[]> {
      const order = { queue, most: TENANTS, most_idle: LOOKED_AT, now: clock?.now(), limits: limits && limitsOf(limits) };
      const rooms = {
        inflight: keys.inflight,
        waiting: keys.waiting,
        turns: keys.turns,
        due: keys.due,
        rpm: keys.rpm,
        spent: keys.spent,
      };
      return letInOf(await run(letInScript, rooms, { order: JSON.stringify(order) }));
    },

    /**
     * Jobs of all tenants that wait in the rooms of this queue, lines of batches among them, and when the oldest of the first ones was made (ms
     * since 1970); `null`: none waits.
     */
    async standing(queue: PaidQueue): Promise<{ jobs: number; oldest_at: number | null }> {
      const tenants = await redis.zrange(`${keys.waiting}:${queue}`, '0', '-1');
      const rooms = tenants.map((tenant) => `${keys.waiting}:${queue}:${tenant}`);
      const [counts, ...firsts] = await Promise.all([
        Promise.all(rooms.map((room) => waitingIn(queue, room))),
        ...rooms.flatMap((room) => [room, `${room}:batches`]).map((set) => redis.zrange(set, '0', '0', 'WITHSCORES')),
      ]);
      const oldest = firsts.flatMap(([, place]) => (place === undefined ? [] : [Number(place) % PRIORITY]));
      return { jobs: counts.reduce((sum, n) => sum + n, 0), oldest_at: oldest.length === 0 ? null : Math.min(...oldest) };
    },

    /**
     * Why queued jobs and batches wait, by their ids; of a batch as of its first line that waits. One that does not wait is left out. One round
     * trip, for a page of a list too.
     */
    async why(o: {
      jobs?: readonly string[];
      batches?: readonly { id: string; tenant: string; created_at: number }[];
    }): Promise<ReadonlyMap<string, Waiting>> {
      const { jobs = [], batches = [] } = o;
      if (jobs.length + batches.length === 0) return new Map();
      const of = batches.map(({ id, tenant, created_at }) => ({ id, tenant, cr: created_at }));
      const order = JSON.stringify({ now: clock?.now(), jobs, batches: of });
      const { inflight, waiting, rpm } = keys;
      const rows = (await run(waitingScript, { inflight, waiting, rpm }, { order })) as [string, string, string, number][];
      return new Map(
        rows.map(([id, reason, since, position]) => [
          id,
          { reason: reason as WaitingReason, since: Number(since), position: position === 0 ? null : position },
        ]),
      );
    },

    /**
     * When the first job of some tenant began to wait in this queue although it could begin, of that which waits longest, in ms since 1970, as
     * `letIn` has seen it last, which looks at 500 tenants at a time; `null`: none does. While the queue is paused or the minute is used up none could.
     */
    async idleSince(queue: PaidQueue): Promise<number | null> {
      const waits = await redis.hvals(`${keys.waiting}:${queue}:#idle`);
      return waits.length === 0 ? null : Math.min(...waits.map((text) => Number(text.split(' ')[1])));
    },

    /** Jobs of a tenant with a call in flight or a living task. */
    async inFlight(tenant: string): Promise<number> {
      const [calls, submits] = await Promise.all(
        ['call', 'submit'].map((queue) => redis.zcard(`${keys.inflight}:${queue}:${tenant}`)),
      );
      return (calls ?? 0) + (submits ?? 0);
    },

    /** Jobs of a tenant that are queued, lines of committed batches among them. */
    queued: async (tenant: string): Promise<number> => Number(await run(queuedScript, { waiting: keys.waiting }, { tenant })),

    /** Jobs of a tenant that wait in the room of this queue. */
    waiting: (queue: PaidQueue, tenant: string): Promise<number> => waitingIn(queue, `${keys.waiting}:${queue}:${tenant}`),
  };
}
