import { randomUUID } from 'node:crypto';
import { type BatchEnd, type BatchRecord, type BatchResults, type BatchRound, eventId, type JobDoc } from '@grsai-jobs/jobs';
import type { Redis } from 'ioredis';
import { addScript, workId } from '../operation/works.ts';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';

/** Kind of the long work that reopens the failed jobs of a batch. */
const RETRY_WORK = 'batch-retry-failed';

const CLOCKS_DIFFER_MS = 60_000;

/** A job of a batch that still has to get its first entry. */
export interface Revealed {
  id: string;
  batch_id: string;
  turn: number;
  queue: 'call' | 'submit';
  priority: JobDoc['priority'];
}

/** How the rounds of a committed batch begin, are called off and end. */
export function createBatchRounds(redis: Redis, run: RunScript, keys: Keys, clock: { now(): number }) {
  return {
    /**
     * Some jobs of a committed batch take their turns and places in the lists; at most 500 at a time, since one script does
     * it. Answers those that need an entry, and whether the batch was being canceled by then: they are to be canceled instead.
     */
    async reveal(
      batch: Pick<BatchRecord, 'id' | 'tenant'>,
      ids: readonly string[],
      dueMs: number,
    ): Promise<{ canceling: boolean; revealed: Revealed[] }> {
      const order = { due: clock.now() + dueMs, tenant: batch.tenant };
      const [status, rows] = (await run(
        'batch-reveal',
        [keys.batch(batch.id), keys.due, keys.turns, keys.tenantJobs(batch.tenant), ...ids.map((id) => keys.job(id))],
        [JSON.stringify(order), ...ids],
      )) as [string | null, [string, Revealed['queue'], Revealed['priority']][]];
      const revealed = ids.flatMap((id, i) => {
        const [turn, queue, priority] = rows[i] ?? [];
        return turn === undefined || queue === undefined || priority === undefined
          ? []
          : [{ id, batch_id: batch.id, turn: Number(turn), queue, priority }];
      });
      return { canceling: status === 'canceling', revealed };
    },

    /**
     * Starts canceling the batch; its jobs are canceled by long work, and failed ones that are not reopened yet stay as they
     * are. Answers the status that it has then; `called_off`: it has ended, and the retry that was to come does not.
     */
    async cancel(id: string): Promise<BatchRecord['status'] | 'called_off' | null> {
      const works = ['batch-cancel', 'batch-finish', RETRY_WORK].map((kind) => keys.work(workId(kind, id)));
      const status = await run('batch-cancel', [keys.batch(id), keys.works, ...works], [id, clock.now()]);
      return status as BatchRecord['status'] | 'called_off' | null;
    },

    /** Has the jobs that have failed by now reopened, by long work. `false`: that is under way already. */
    async retryFailed(id: string, o: { includeUnknown: boolean }): Promise<boolean> {
      const now = clock.now();
      const work = workId(RETRY_WORK, id);
      // A cancel of before is not meant; one that comes from here on is.
      await redis.hdel(keys.batch(id), 'cx');
      // The clock of the process that ended a job may be ahead of ours; one that was wrong by more counts no further.
      const [, newest] = await redis.zrange(keys.ended, '-1', '-1', 'WITHSCORES');
      const before = Math.max(now, Math.min(Number(newest ?? 0), now + CLOCKS_DIFFER_MS));
      const order = JSON.stringify({ batch_id: id, include_unknown: o.includeUnknown, before });
      return (
        (await run(
          addScript,
          { work: keys.work(work), works: keys.works },
          { id: work, kind: RETRY_WORK, order, due: now, renew: null },
        )) === 1
      );
    },

    /** Whether a cancel was asked for since the last retry of its failed jobs; by no clock, as processes have their own. */
    isCalledOff: async (id: string): Promise<boolean> => (await redis.hexists(keys.batch(id), 'cx')) === 1,

    /** Whether failed jobs of it are still to be reopened. */
    isBeingRetried: async (id: string): Promise<boolean> => (await redis.exists(keys.work(workId(RETRY_WORK, id)))) === 1,

    /**
     * The end of a round, with its owed webhook. `by`: who had the work that wrote the results. `false`: the round is over
     * already, or goes on, or a job has ended anew since that work was taken.
     */
    async finish(batch: BatchRecord, status: BatchEnd, results: BatchResults, by?: string): Promise<boolean> {
      const now = clock.now();
      const type = `batch.${status}` as const;
      const { webhook } = batch.doc;
      const delivery = webhook?.events.includes(type)
        ? { id: eventId(batch.id, batch.round, type), type, url: webhook.url }
        : undefined;
      const order = {
        id: batch.id,
        token: randomUUID(),
        now,
        tenant: batch.tenant,
        round: batch.round,
        by,
        canceling: batch.status === 'canceling',
        status,
        delivery,
      };
      const round: BatchRound = { status, counts: batch.counts, finished_at: now, results };
      const reply = await run(
        'batch-finish',
        [
          keys.batch(batch.id),
          delivery ? keys.delivery(delivery.id) : keys.batch(batch.id),
          keys.tenantDeliveries(batch.tenant),
          keys.dueDeliveries,
          keys.endedBatches,
          keys.work(workId('batch-finish', batch.id)),
          keys.pendingDeliveries,
        ],
        [JSON.stringify(order), JSON.stringify(results), JSON.stringify(round)],
      );
      return reply === 1;
    },

    /** Another results file takes the place of that of a round. `false`: the round has another one by now. */
    async replaceResults(batch: Pick<BatchRecord, 'id'>, round: number, before: BatchRound, results: BatchResults) {
      const kept: BatchRound = { ...before, results };
      const args = [round, before.results.key, JSON.stringify(kept), JSON.stringify(results)];
      return (await run('batch-replace', [keys.batch(batch.id)], args)) === 1;
    },
  };
}
