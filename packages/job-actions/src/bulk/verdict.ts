import type { BulkOrder } from '@grsai-jobs/job-store';
import { isTerminal, type JobRecord, planRetry } from '@grsai-jobs/jobs';

/** What a bulk action does to a job, or why it leaves it alone. */
export type BulkVerdict = { act: 'resume' | 'resubmit' | 'cancel' | 'redeliver' } | { skip: string };

type Judge = (job: JobRecord, order: Pick<BulkOrder, 'before' | 'include_unknown'>, now: number) => BulkVerdict;

const requeue: Judge = (job, order, now) => {
  if (!isTerminal(job.status) || job.status === 'succeeded') return { skip: 'not_failed' };
  // What has ended since may have been run again by this very action.
  if ((job.finished_at ?? 0) > order.before) return { skip: 'ended_since' };
  const plan = planRetry(job, now);
  if (plan.kind === 'reopen') return { act: plan.mode };
  if (plan.why !== 'submit_unknown') return { skip: plan.why };
  return order.include_unknown ? { act: 'resubmit' } : { skip: 'submit_unknown' };
};

const cancel: Judge = (job) => (isTerminal(job.status) ? { skip: 'ended' } : { act: 'cancel' });

const redeliver: Judge = ({ webhook }) => {
  if (webhook.last_delivery_id === null) return { skip: 'no_webhook' };
  return webhook.state === 'pending' || webhook.state === 'delivered' ? { skip: webhook.state } : { act: 'redeliver' };
};

const JUDGES: Readonly<Record<BulkOrder['action'], Judge>> = { requeue, cancel, redeliver };

/** The one rule for what is shown beforehand and what is done. */
export const bulkVerdict = (
  job: JobRecord,
  order: Pick<BulkOrder, 'action' | 'before' | 'include_unknown'>,
  now: number,
): BulkVerdict => JUDGES[order.action](job, order, now);
