import { type BatchEnd, type BatchRecord, type BatchResults, type BatchRound, eventId } from '@grsai-jobs/jobs';
import { defineScript, type Redis, type RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import { operationId } from '../operation/operations.ts';
import { PLACES_LUA } from '../room/rooms.ts';
import { MAKE_DELIVERY, NEW_DELIVERY_KEYS, newDelivery } from '../webhook/new-delivery.ts';

/** Kind of the operation that reopens the failed jobs of a batch. */
export const RETRY_OPERATION = 'batch-retry-failed';

const CLOCKS_DIFFER_MS = 60_000;

/** What whoever retries failed jobs is told: how many are run again, and how many are left out as they may have been paid for. */
export interface RetryTold {
  retrying: number;
  left_out: number;
  /** The round in which they run. */
  in_round: number;
  /** What was asked for; a release before did not keep it. */
  include_unknown?: boolean;
}

/**
 * `before`: the same Idempotency-Key has ordered it, and was told this. `under_way`: an order of before is not carried out yet. `changed`: the
 * batch is not as it was read.
 */
export type RetryOrdered = { kind: 'ordered' | 'under_way' | 'changed' } | { kind: 'before'; told: RetryTold };

const listScript = defineScript({
  lua: new URL('./list.lua', import.meta.url),
  keys: ['due', 'tenant_jobs', '...jobs'],
  args: ['...ids'],
  whenFull: 'runs',
});

const cancel = defineScript({
  lua: new URL('./cancel.lua', import.meta.url),
  keys: ['batch', 'operations', 'cancel', 'finish', 'retry', 'waiting'],
  args: ['id', 'now'],
  shared: [PLACES_LUA],
  whenFull: 'runs',
  lasts: true,
});

const retryFailedScript = defineScript({
  lua: new URL('./retry-failed.lua', import.meta.url),
  keys: ['batch', 'operation', 'operations'],
  args: ['id', 'kind', 'order', 'due', 'key?', 'told', 'status?', 'round?'],
  whenFull: 'runs',
  lasts: true,
});

const finish = defineScript({
  lua: new URL('./finish.lua', import.meta.url),
  keys: ['batch', 'ended_batches', 'finish', ...NEW_DELIVERY_KEYS],
  args: ['order', 'results', 'kept'],
  shared: [MAKE_DELIVERY],
  whenFull: 'runs',
  lasts: true,
});

const replace = defineScript({
  lua: new URL('./replace-results.lua', import.meta.url),
  keys: ['batch'],
  args: ['round', 'before', 'kept', 'results'],
  whenFull: 'runs',
  // The file of before is deleted then.
  lasts: true,
});

/** How the rounds of a committed batch begin, are called off and end. */
export function createBatchRounds(
  redis: Redis,
  run: RunScript,
  keys: Keys,
  {
    clock,
    newToken,
  }: {
    clock: { now(): number };
    newToken: () => string;
  },
) {
  return {
    /** Lines of a committed batch enter the list of their tenant; at most 500 at a time, since one script does it. */
    async list(batch: Pick<BatchRecord, 'tenant'>, ids: readonly string[]): Promise<void> {
      const { due } = keys;
      await run(listScript, { due, tenant_jobs: keys.tenantJobs(batch.tenant), jobs: ids.map(keys.job) }, { ids });
    },

    /**
     * Starts canceling the batch; its jobs are canceled by an operation, and failed ones that are not reopened yet stay as they
     * are. Answers the status that it has then; `called_off`: it has ended, and the retry that was to come does not,
     * or it was canceled before.
     */
    async cancel(id: string): Promise<BatchRecord['status'] | 'called_off' | null> {
      const operation = (kind: string) => keys.operation(operationId(kind, id));
      const known = { cancel: operation('batch-cancel'), finish: operation('batch-finish'), retry: operation(RETRY_OPERATION) };
      const status = await run(
        cancel,
        { batch: keys.batch(id), operations: keys.operations, waiting: keys.waiting, ...known },
        { id, now: clock.now() },
      );
      return status as BatchRecord['status'] | 'called_off' | null;
    },

    /**
     * Has the jobs that have failed by now reopened, by an operation.
     *
     * @param once the same key orders it once; what it is told is kept with it
     * @param asRead only of a batch that still is so; left out: whatever it is
     */
    async retryFailed(
      id: string,
      {
        includeUnknown,
        once,
        asRead,
      }: {
        includeUnknown: boolean;
        once?: { key: string; told: RetryTold } | undefined;
        asRead?: Pick<BatchRecord, 'status' | 'round'>;
      },
    ): Promise<RetryOrdered> {
      const now = clock.now();
      const operation = operationId(RETRY_OPERATION, id);
      // The clock of the process that ended a job may be ahead of ours; one that was wrong by more counts no further.
      const [, newest] = await redis.zrange(keys.ended, '-1', '-1', 'WITHSCORES');
      const before = Math.max(now, Math.min(Number(newest ?? 0), now + CLOCKS_DIFFER_MS));
      const order = JSON.stringify({ batch_id: id, include_unknown: includeUnknown, before });
      const [answer, kept] = (await run(
        retryFailedScript,
        { batch: keys.batch(id), operation: keys.operation(operation), operations: keys.operations },
        {
          id: operation,
          kind: RETRY_OPERATION,
          order,
          due: now,
          key: once?.key ?? null,
          told: JSON.stringify(once?.told ?? null),
          status: asRead?.status ?? null,
          round: asRead?.round ?? null,
        },
      )) as [number, string | undefined];
      if (answer === 2) return { kind: 'before', told: JSON.parse(kept ?? 'null') as RetryTold };
      return { kind: answer === 3 ? 'changed' : answer === 1 ? 'ordered' : 'under_way' };
    },

    /** What the last retry of its failed jobs was answered, if this Idempotency-Key ordered it. */
    async retryBefore(id: string, key: string): Promise<RetryTold | null> {
      const [seen, told] = await redis.hmget(keys.batch(id), 'rk', 'rt');
      return seen === key && told ? (JSON.parse(told) as RetryTold) : null;
    },

    /** Whether a cancel was asked for since the last retry of its failed jobs; by no clock, as processes have their own. */
    isCalledOff: async (id: string): Promise<boolean> => (await redis.hexists(keys.batch(id), 'cx')) === 1,

    /** Whether failed jobs of it are still to be reopened. */
    isBeingRetried: async (id: string): Promise<boolean> =>
      (await redis.exists(keys.operation(operationId(RETRY_OPERATION, id)))) === 1,

    /**
     * The end of a round, with its delivery. `by`: the token of the operation that wrote the results. `false`: the round is over
     * already, or goes on, or a job has ended anew since that operation was taken.
     */
    async finish(batch: BatchRecord, status: BatchEnd, results: BatchResults, by?: string): Promise<boolean> {
      const now = clock.now();
      const type = `batch.${status}` as const;
      const { webhook } = batch.doc;
      const { round: no, tenant } = batch;
      const made = newDelivery(
        keys,
        tenant,
        webhook?.events.includes(type)
          ? { id: eventId(batch.id, no, type), subject: { batch_id: batch.id }, run: no, type, url: webhook.url }
          : null,
      );
      const order = {
        id: batch.id,
        token: newToken(),
        now,
        round: batch.round,
        by,
        canceling: batch.status === 'canceling',
        status,
        delivery: made.order ?? undefined,
      };
      const round: BatchRound = { status, counts: batch.counts, finished_at: now, results };
      const reply = await run(
        finish,
        {
          batch: keys.batch(batch.id),
          ended_batches: keys.endedBatches,
          finish: keys.operation(operationId('batch-finish', batch.id)),
          ...made.keys,
        },
        { order: JSON.stringify(order), results: JSON.stringify(results), kept: JSON.stringify(round) },
      );
      return reply === 1;
    },

    /** Replaces the results file of a round. `false`: the round has another one by now. */
    async replaceResults(batch: Pick<BatchRecord, 'id'>, round: number, before: BatchRound, results: BatchResults) {
      const kept: BatchRound = { ...before, results };
      const args = { round, before: before.results.key, kept: JSON.stringify(kept), results: JSON.stringify(results) };
      return (await run(replace, { batch: keys.batch(batch.id) }, args)) === 1;
    },
  };
}
