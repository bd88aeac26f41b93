import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
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

export type Works = ReturnType<typeof createWorks>;

export function createWorks(redis: Redis, run: RunScript, keys: Keys) {
  async function add(work: NewWork, renew: '' | '1'): Promise<boolean> {
    const id = workId(work.kind, work.subject);
    const args = [id, work.kind, JSON.stringify(work.order), work.at, renew];
    return (await run('work-add', [keys.work(id), keys.works], args)) === 1;
  }

  async function leave(work: Pick<Work, 'id' | 'by'>, due: number | '', cursor: unknown, lost: number | ''): Promise<boolean> {
    const args = [work.id, work.by, due, JSON.stringify(cursor), lost];
    return (await run('work-leave', [keys.work(work.id), keys.works], args)) === 1;
  }

  return {
    /** Adds work that is due at `at` (ms since 1970). `false`: the same work is under way already, and stays as it is. */
    add: (work: NewWork): Promise<boolean> => add(work, ''),

    /** The same, and whoever is about to end that work finds that it is no longer theirs: somebody goes on with it at `at`. */
    async renew(work: NewWork): Promise<void> {
      await add(work, '1');
    },

    /** The work that is due first, held for 30 s by whoever asked. */
    async take(now: number): Promise<Work | null> {
      const [id] = await redis.zrange(keys.works, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, 1);
      if (id === undefined) return null;
      const by = randomUUID();
      const fields = fieldsOf(await run('work-take', [keys.work(id), keys.works], [id, by, now, now + LEASE_MS]));
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
    hold: (work: Work, now: number): Promise<boolean> => leave(work, now + LEASE_MS, work.cursor, ''),

    /** The work is over. */
    done: (work: Pick<Work, 'id' | 'by'>): Promise<boolean> => leave(work, '', null, 0),

    /** Work that waits for a later time is due at `at` already. Nothing happens when there is no such work. */
    async wake(id: string, at: number): Promise<void> {
      await redis.zadd(keys.works, 'XX', 'LT', at, id);
    },
  };
}
