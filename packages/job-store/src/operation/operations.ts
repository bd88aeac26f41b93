import { defineScript, fieldsOf, json, number, type Redis, type RunScript } from '@grsai-jobs/redis';
import type { LastingWrite } from '../layout/lasting-write.ts';

/**
 * Work on many jobs that takes longer than a request or a script may. It is done in slices with a cursor, by whichever
 * worker has time, and goes on after a restart where it stood.
 */
export interface Operation {
  /** Names what is done and to what, so that the same operation cannot exist twice: `<kind>:<subject>`. */
  id: string;
  kind: string;
  /** What it was made with; never changed. */
  order: unknown;
  /** How far it has come; `null` before the first slice. */
  cursor: unknown;
  /** Token of the worker that holds it now. */
  by: string;
  /** How many workers in a row have died or frozen while they held it; 0 after a slice that ended. */
  lost: number;
  created_at: number;
}

export interface NewOperation {
  kind: string;
  subject: string;
  order: unknown;
  /** When it is due, in ms since 1970. */
  at: number;
}

export const operationId = (kind: string, subject: string): string => `${kind}:${subject}`;

/** A worker that has not renewed its lease for this long counts as dead. */
const LEASE_MS = 30_000;

/** Writes an operation down once. */
const addScript = defineScript({
  lua: new URL('./add.lua', import.meta.url),
  keys: ['operation', 'operations'],
  args: ['id', 'kind', 'order', 'due', 'again?'],
  whenFull: 'runs',
  lasts: true,
});

const takeScript = defineScript({
  lua: new URL('./take.lua', import.meta.url),
  keys: ['operation', 'operations'],
  args: ['id', 'by', 'lease_ms', 'now?'],
  whenFull: 'runs',
});

const leaveScript = defineScript({
  lua: new URL('./leave.lua', import.meta.url),
  keys: ['operation', 'operations'],
  args: ['id', 'by', 'wait_ms?', 'cursor', 'lost?', 'now?'],
  whenFull: 'runs',
});

export type Operations = ReturnType<typeof createOperations>;

/** @param clock what scripts take as the time; left out: the time of Redis. */
export function createOperations(
  redis: Redis,
  run: RunScript,
  keys: { operation(id: string): string; readonly operations: string },
  newToken: () => string,
  lasting: LastingWrite,
  clock?: { now(): number },
) {
  const scriptNow = () => clock?.now() ?? null;
  const keysOf = (id: string) => ({ operation: keys.operation(id), operations: keys.operations });

  async function add({ kind, subject, order, at }: NewOperation, again: '1' | null): Promise<boolean> {
    const id = operationId(kind, subject);
    return (await run(addScript, keysOf(id), { id, kind, order: JSON.stringify(order), due: at, again })) === 1;
  }

  async function leave(
    { id, by }: Pick<Operation, 'id' | 'by'>,
    waitMs: number | null,
    cursor: unknown,
    lost: number | null,
  ): Promise<boolean> {
    return (
      (await run(leaveScript, keysOf(id), {
        ...{ id, by, wait_ms: waitMs, cursor: JSON.stringify(cursor), lost, now: scriptNow() },
      })) === 1
    );
  }

  return {
    /** Adds an operation that is due at `at` (ms since 1970). `false`: the same operation exists already and stays as it is. */
    add: (operation: NewOperation): Promise<boolean> => add(operation, null),

    /** The same, but one that exists already is taken from its worker and runs once more from its cursor at `at`. */
    async addAgain(operation: NewOperation): Promise<void> {
      await add(operation, '1');
    },

    /** The operation that is due first, leased to the caller for 30 s. `now`: as the caller knows it; whether one is due Redis says. */
    async take(now: number): Promise<Operation | null> {
      const [id] = await redis.zrange(keys.operations, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, 1);
      if (id === undefined) return null;
      const by = newToken();
      const fields = fieldsOf(await run(takeScript, keysOf(id), { id, by, lease_ms: LEASE_MS, now: scriptNow() }));
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

    /**
     * A slice has ended: keeps its cursor; the operation is due again in `waitMs`. `false`: it was taken over, or ended from outside, or began
     * on another primary, so that it is due at once from the cursor before.
     */
    checkpoint: (operation: Pick<Operation, 'id' | 'by'>, cursor: unknown, waitMs: number): Promise<boolean> =>
      leave(operation, waitMs, cursor, 0),

    /** Workers died with it, so it waits for `waitMs`. One more loss then sets it aside again. */
    setAside: (operation: Operation, waitMs: number): Promise<boolean> =>
      leave(operation, waitMs, operation.cursor, operation.lost - 1),

    /** A slice that takes long is still running. `false`: it was taken over. */
    renewLease: (operation: Operation): Promise<boolean> => leave(operation, LEASE_MS, operation.cursor, null),

    /** The operation is over. */
    done: (operation: Pick<Operation, 'id' | 'by'>): Promise<boolean> => leave(operation, null, null, 0),

    /** What operations of this kind are about. */
    async subjects(kind: string): Promise<string[]> {
      const ids = await redis.zrange(keys.operations, '0', '-1');
      const prefix = operationId(kind, '');
      return ids.flatMap((id) => (id.startsWith(prefix) ? [id.slice(prefix.length)] : []));
    },

    /** It is not to go on; whoever holds it finds out at the end of the slice. */
    async callOff(kind: string, subject: string): Promise<void> {
      const id = operationId(kind, subject);
      await lasting(() => redis.multi().del(keys.operation(id)).zrem(keys.operations, id).exec());
    },

    /** One that waits for a later time is due at `at` already. Nothing happens when there is no such operation. */
    async wake(id: string, at: number): Promise<void> {
      await redis.zadd(keys.operations, 'XX', 'LT', at, id);
    },
  };
}
