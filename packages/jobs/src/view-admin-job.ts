import type { Delivery } from './delivery.ts';
import type { JobRecord } from './job/job.ts';
import { rfc3339 } from './rfc3339.ts';
import { timelineOf } from './timeline.ts';
import { type SignLink, viewJob } from './view.ts';
import type { Waiting } from './waiting.ts';

/** A job in the list of operators: as its tenant sees it, with whose it is. */
export async function viewAdminJob(record: JobRecord, sign: SignLink, waiting?: Waiting | null) {
  const { links, ...view } = await viewJob(record, sign, waiting);
  const self = `/admin/v1/jobs/${record.id}`;
  return { ...view, tenant: record.tenant, links: { ...links, self, requeue: `${self}/requeue` } };
}

export type AdminJobView = Awaited<ReturnType<typeof viewAdminJob>>;

const viewAdminDelivery = ({
  id,
  job_id,
  run,
  type,
  url,
  state,
  attempts_made,
  created_at,
  next_attempt_at,
  attempts,
}: Delivery) => ({
  id,
  job_id,
  run,
  type,
  url,
  state,
  attempts_made,
  created_at: rfc3339(created_at),
  next_attempt_at: state === 'pending' ? rfc3339(next_attempt_at) : null,
  attempts: attempts.map(({ at, ...attempt }) => ({ ...attempt, at: rfc3339(at) })),
});

/** One job with all that is known of it: past runs, webhooks, and what happened when. */
export async function viewAdminJobDetail(
  record: JobRecord,
  deliveries: readonly Delivery[],
  sign: SignLink,
  waiting?: Waiting | null,
) {
  return {
    ...(await viewAdminJob(record, sign, waiting)),
    step: record.step,
    crashes: record.crashes,
    attempts_used: record.attempts_used,
    due_at: rfc3339(record.due),
    in_flight_call:
      record.lease === null ? null : { since: rfc3339(record.lease.acquired_at), until: rfc3339(record.lease.expires_at) },
    unstored: record.unstored === null ? null : { expires_at: rfc3339(record.unstored.dies_at) },
    past_runs: Object.entries(record.past).map(([run, { status, error, finished_at }]) => ({
      run: Number(run),
      status,
      error,
      finished_at: rfc3339(finished_at),
    })),
    deliveries: deliveries.map(viewAdminDelivery),
    timeline: timelineOf(record, deliveries).map((each) => ({ ...each, at: rfc3339(each.at) })),
  };
}

export type AdminJobDetailView = Awaited<ReturnType<typeof viewAdminJobDetail>>;
