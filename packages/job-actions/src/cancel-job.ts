import { endDelivery, type JobStore } from '@grsai-jobs/job-store';
import { isTerminal, type JobRecord } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import { moveOn, type NotMoved } from './move-on.ts';

/** `canceled` at once, `canceling` while a call or a store is open; `ended`: there was nothing left to cancel. */
export type Canceled = { kind: 'canceled' | 'canceling' | 'ended'; record: JobRecord } | NotMoved;

export type CancelJob = (record: JobRecord) => Promise<Canceled>;

/**
 * Cancels a job wherever it is (design §2). Once the move is written the answer is yes: what comes after it, the hint to
 * the worker and the entry of the webhook, is made good by the record and by `maintain`.
 */
export function createCancelJob(o: { store: JobStore; producer: Producer; clock: Clock; log: Logger }): CancelJob {
  const { moves, jobs, cancels } = o.store;
  const logged = (jobId: string) => (err: unknown) =>
    o.log.warn({ event: 'job.hint_missing', err, job_id: jobId }, 'canceled; what comes after it is done by maintain');

  async function atOnce(record: JobRecord): Promise<Canceled | null> {
    const moved = await moves.cancel(record);
    if (moved.kind !== 'ok') return null;
    const owed = endDelivery(record, 'canceled');
    if (owed !== null) await o.producer.enqueueDelivery(owed).catch(logged(record.id));
    const canceled: JobRecord = {
      ...record,
      status: 'canceled',
      stage: null,
      step: moved.step,
      finished_at: o.clock.now(),
      ...(owed === null ? {} : { webhook: { state: 'pending', last_delivery_id: owed.id } }),
    };
    return { kind: 'canceled', record: canceled };
  }

  async function whileOpen(record: JobRecord): Promise<Canceled | null> {
    if ((await moves.cancelOpen(record)).kind !== 'ok') return null;
    await cancels.send(record.id).catch(logged(record.id));
    return { kind: 'canceling', record: { ...record, status: 'canceling' } };
  }

  return (record) =>
    moveOn<Canceled>(jobs, record, async (current) => {
      if (isTerminal(current.status)) return { kind: 'ended', record: current };
      if (current.status === 'canceling') return { kind: 'canceling', record: current };
      const open = current.stage === 'submitting' || current.stage === 'storing';
      const canceled = await (open ? whileOpen(current) : atOnce(current));
      if (canceled !== null)
        o.log.info({ event: 'job.cancel', job_id: current.id, tenant: current.tenant, status: canceled.kind }, 'job cancel');
      return canceled;
    });
}
