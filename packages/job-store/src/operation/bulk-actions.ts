import {
  type Cursor,
  cursorsIn,
  defineScript,
  type Fields,
  json,
  number,
  optionalNumber,
  pipelined,
  type Redis,
  type RunScript,
} from '@grsai-jobs/redis';
import type { JobFilter } from '../job/job-list.ts';
import type { LastingWrite } from '../layout/lasting-write.ts';

export const BULK_ACTIONS = ['requeue', 'cancel', 'redeliver'] as const;

/** Kind of the operation that carries one out; its subject is the id of the action. */
export const BULK_OPERATION = 'bulk-action';

/** `aborted` can go on; `completed` is over. */
export type BulkStatus = 'running' | 'aborted' | 'completed';

/** What an operator wants done to many jobs; never changed. */
export interface BulkOrder {
  action: (typeof BULK_ACTIONS)[number];
  /** Either the jobs that fit, of one tenant or of all, or those that are named. */
  select: { tenant: string | null; filter: JobFilter } | { ids: string[] };
  /** Of a filter, what fits after this time (ms since 1970) is not meant, so that no job is acted on twice. */
  before: number;
  rate_per_min: number;
  /** Also submits again what may have been paid for. */
  include_unknown: boolean;
  reason: string;
  key_id: string;
  key_name: string;
  /** SHA-256 of the request, for one that is sent again with its Idempotency-Key. */
  fingerprint: string;
}

/** How far it has come: a cursor of the list, or how many of the ids are behind it. `null`: at the start. */
export type BulkCursor = Cursor | number | null;

export interface BulkAction extends BulkOrder {
  id: string;
  status: BulkStatus;
  /** Jobs are counted first, then acted on. */
  phase: 'count' | 'act';
  at: BulkCursor;
  /** Guards workers against each other. */
  steps: number;
  /** Up to this time the rate is used up. */
  credit: number;
  matched: number;
  done: number;
  /** Left alone, by why. */
  skipped: Record<string, number>;
  failed: Record<string, number>;
  created_at: number;
  finished_at: number | null;
  /** Since when it runs without a break, and how many were done then. */
  since: number;
  done_then: number;
}

export const sumOf = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((all, n) => all + n, 0);

/** How many of the jobs that were counted it has still to come to. */
export const leftOf = ({ matched, done, skipped, failed }: BulkAction): number =>
  Math.max(0, matched - done - sumOf(skipped) - sumOf(failed));

/** What came of one job, or of a piece of the counting. */
export type BulkCounter = 'matched' | 'done' | `skipped:${string}` | `failed:${string}`;

const KEPT_MS = 30 * 24 * 3600 * 1000;

const countersOf = (fields: Fields, kind: string): Record<string, number> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, n]) =>
      name.startsWith(`c:${kind}:`) ? [[name.slice(kind.length + 3), Number(n)]] : [],
    ),
  );

const decode = (id: string, fields: Fields): BulkAction => ({
  ...(JSON.parse(fields['doc'] ?? '{}') as BulkOrder),
  id,
  status: fields['st'] as BulkStatus,
  phase: fields['phase'] as BulkAction['phase'],
  at: json<BulkCursor>(fields['cur']),
  steps: number(fields['n']),
  credit: number(fields['credit']),
  matched: number(fields['c:matched']),
  done: number(fields['c:done']),
  skipped: countersOf(fields, 'skipped'),
  failed: countersOf(fields, 'failed'),
  created_at: number(fields['created']),
  finished_at: optionalNumber(fields['fin']),
  since: number(fields['since']),
  done_then: number(fields['base']),
});

const stepScript = defineScript({
  lua: new URL('./bulk-step.lua', import.meta.url),
  keys: ['action'],
  args: ['steps', 'cursor', 'phase', 'credit', '...counts'],
  whenFull: 'runs',
});

const turnScript = defineScript({
  lua: new URL('./bulk-turn.lua', import.meta.url),
  keys: ['action'],
  args: ['from', 'to', 'now', 'kept_ms?'],
  whenFull: 'runs',
  lasts: true,
});

export type BulkActions = ReturnType<typeof createBulkActions>;

/** What operators do to many jobs, with how far it has come. Kept for 30 days after its end. */
export function createBulkActions(
  redis: Redis,
  run: RunScript,
  keys: { bulk(id: string): string; readonly bulks: string },
  lasting: LastingWrite,
) {
  const turn = async (id: string, from: BulkStatus, to: BulkStatus, now: number, kept_ms: number | null): Promise<boolean> =>
    (await run(turnScript, { action: keys.bulk(id) }, { from, to, now, kept_ms })) === 1;

  return {
    /** `false`: there is one with this id already, and it stays as it is. */
    async create(id: string, order: BulkOrder, now: number): Promise<boolean> {
      const ids = 'ids' in order.select ? order.select.ids.length : 0;
      const replies = await lasting(() =>
        redis
          .multi()
          .hsetnx(keys.bulk(id), 'doc', JSON.stringify(order))
          .hsetnx(keys.bulk(id), 'st', 'running')
          .hsetnx(keys.bulk(id), 'phase', 'ids' in order.select ? 'act' : 'count')
          .hsetnx(keys.bulk(id), 'n', 0)
          .hsetnx(keys.bulk(id), 'c:matched', ids)
          .hsetnx(keys.bulk(id), 'created', now)
          .hsetnx(keys.bulk(id), 'since', now)
          .zadd(keys.bulks, 'NX', now, id)
          .zremrangebyscore(keys.bulks, '-inf', now - 2 * KEPT_MS)
          .exec(),
      );
      for (const [error] of replies ?? []) if (error) throw error;
      return replies?.[0]?.[1] === 1;
    },

    async read(id: string): Promise<BulkAction | null> {
      const fields = await redis.hgetall(keys.bulk(id));
      return fields['st'] === undefined ? null : decode(id, fields);
    },

    /** The newest first. */
    async page(o: { after: Cursor | null; limit: number }): Promise<{ actions: BulkAction[]; next: Cursor | null }> {
      const found = await cursorsIn(redis, keys.bulks, {}, o.after, o.limit + 1);
      const shown = found.slice(0, o.limit);
      const read = (await pipelined(redis, shown, (pipeline, { id }) => pipeline.hgetall(keys.bulk(id)))) as Fields[];
      const actions = read.flatMap((fields, i) => (fields['st'] ? [decode(shown[i]?.id ?? '', fields)] : []));
      return { actions, next: found.length > o.limit ? (shown.at(-1) ?? null) : null };
    },

    /** Writes down that one more is behind it. Answers the status, or `stale`: another worker has gone on with it. */
    async step(
      action: Pick<BulkAction, 'id' | 'steps'>,
      to: { at: BulkCursor; phase: BulkAction['phase']; credit: number; counts: readonly (readonly [BulkCounter, number])[] },
    ): Promise<BulkStatus | 'stale'> {
      const counts = to.counts.flatMap(([name, by]) => [`c:${name}`, by]);
      const { phase, credit } = to;
      const args = { steps: action.steps, cursor: JSON.stringify(to.at), phase, credit, counts };
      return (await run(stepScript, { action: keys.bulk(action.id) }, args)) as BulkStatus | 'stale';
    },

    /** `false`: it does not run. */
    abort: (id: string, now: number): Promise<boolean> => turn(id, 'running', 'aborted', now, KEPT_MS),

    /** Goes on where it was aborted. `false`: it is not aborted. */
    resume: (id: string, now: number): Promise<boolean> => turn(id, 'aborted', 'running', now, null),

    complete: (id: string, now: number): Promise<boolean> => turn(id, 'running', 'completed', now, KEPT_MS),
  };
}
