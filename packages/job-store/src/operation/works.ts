import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { defineScript } from '../redis/define-script.ts';
import { fieldsOf, json, number } from '../redis/fields.ts';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';

/**
 * Work on many jobs that takes longer than a request or a script may: it is done in slices with a cursor, by whichever
 * worker has time, and goes on after a restart where it stood.
 */
export interface Work {
  /** Names what is done and to what, so that the same work cannot stand twice: `<kind>:<subject>`. */
  id: string;
  kind: string;
  /** What it was made with; never changed. */
  order: unknown;
  /** How far it has come; `null` before the first slice. */
  cursor: unknown;
  /** Names the worker that has it now. */
  by: string;
  /** How many workers in a row have died or frozen with it; 0 after a slice that came to its end. */
  lost: number;
  created_at: number;
}

export interface NewWork {
  kind: string;
  subject: string;
  order: unknown;
  /** When it is due, in ms since 1970. */
  at: number;
}

export const workId = (kind: string, subject: string): string => `${kind}:${subject}`;

/** A worker that has not told of its work for this long is taken for dead. A slice ends well before that. */
const LEASE_MS = 30_000;

/** Writes an operation down once. */
export const addScript = defineScript({
  lua: new URL('./work-add.lua', import.meta.url),
  keys: ['work', 'works'],
  args: ['id', 'kind', 'order', 'due', 'renew?'],
  whenFull: 'runs',
});

const takeScript = defineScript({
  lua: new URL('./work-take.lua', import.meta.url),
  keys: ['work', 'works'],
  args: ['id', 'by', 'now', 'lease_ends'],
  whenFull: 'runs',
});

const leaveScript = defineScript({
  lua: new URL('./work-leave.lua', import.meta.url),
  keys: ['work', 'works'],
  args: ['id', 'by', 'due?', 'cursor', 'lost?'],
  whenFull: 'runs',
});

export type Works = ReturnType<typeof createWorks>;

export function createWorks(redis: Redis, run: RunScript, keys: Keys) {
  const keysOf = (id: string) => ({ work: keys.work(id), works: keys.works });

  async function add({ kind, subject, order, at }: NewWork, renew: '1' | null): Promise<boolean> {
    const id = workId(kind, subject);
    return (await run(addScript, keysOf(id), { id, kind, order: JSON.stringify(order), due: at, renew })) === 1;
  }

  async function leave(
    { id, by }: Pick<Work, 'id' | 'by'>,
    due: number | null,
    cursor: unknown,
    lost: number | null,
  ): Promise<boolean> {
    return (await run(leaveScript, keysOf(id), { id, by, due, cursor: JSON.stringify(cursor), lost })) === 1;
  }

  return {
    /** Adds work that is due at `at` (ms since 1970). `false`: the same work is under way already, and stays as it is. */
    add: (work: NewWork): Promise<boolean> => add(work, null),

    /** The same, and whoever is about to end that work finds that it is no longer theirs: somebody goes on with it at `at`. */
    async renew(work: NewWork): Promise<void> {
      await add(work, '1');
    },

    /** The work that is due first, held for 30 s by whoever asked. */
    async take(now: number): Promise<Work | null> {
      const [id] = await redis.zrange(keys.works, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, 1);
      if (id === undefined) return null;
      const by = randomUUID();
      const fields = fieldsOf(await run(takeScript, keysOf(id), { id, by, now, lease_ends: now + LEASE_MS }));
      if (fields === null) return null;
      return {
        id,
        kind: fields['kind'] ?? '',
        order: json(fields['order']),
        cursor: json(fields['cursor']),
        by,
        lost: number(fields['lost']),
        created_at: number(fields['created']),
      };
    },

    /** Writes down how far a slice came; the work is due again at `at`. `false`: it was taken over, or ended from outside. */
    putBack: (work: Pick<Work, 'id' | 'by'>, cursor: unknown, at: number): Promise<boolean> => leave(work, at, cursor, 0),

    /** Workers died with it: it waits until `at` for one that does not. One more loss then sets it aside again. */
    setAside: (work: Work, at: number): Promise<boolean> => leave(work, at, work.cursor, work.lost - 1),

    /** A slice that takes long is still at work. `false`: it was taken over. */
    hold: (work: Work, now: number): Promise<boolean> => leave(work, now + LEASE_MS, work.cursor, null),

    /** The work is over. */
    done: (work: Pick<Work, 'id' | 'by'>): Promise<boolean> => leave(work, null, null, 0),

    /** Work that waits for a later time is due at `at` already. Nothing happens when there is no such work. */
    async wake(id: string, at: number): Promise<void> {
      await redis.zadd(keys.works, 'XX', 'LT', at, id);
    },
  };
}
