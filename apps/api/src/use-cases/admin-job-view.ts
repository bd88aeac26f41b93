import type { JobStore } from '@grsai-jobs/job-store';
import { type Delivery, eventId, JOB_EVENTS, type JobRecord, type SignLink, timelineOf, viewJob } from '@grsai-jobs/jobs';

const rfc3339 = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** A job in the list of operators: as its tenant sees it, with whose it is. */
export async function adminListView(record: JobRecord, sign: SignLink, now: number) {
  const { links, ...view } = await viewJob(record, sign, now);
  const self = `/admin/v1/jobs/${record.id}`;
  return { ...view, tenant: record.tenant, links: { ...links, self, requeue: `${self}/requeue` } };
}

/** Deliveries of runs older than the newest ten are not looked for. */
const RUNS_SHOWN = 10;

async function deliveriesOf(deliveries: Pick<JobStore['deliveries'], 'read'>, job: JobRecord): Promise<Delivery[]> {
  const events = JOB_EVENTS.filter((type) => job.doc.webhook?.events.includes(type));
  const runs = Array.from({ length: Math.min(job.run, RUNS_SHOWN) }, (_, i) => job.run - i);
  const ids = runs.flatMap((run) => events.map((type) => eventId(job.id, run, type)));
  const found = await Promise.all(ids.map((id) => deliveries.read(id)));
  return found.flatMap((each) => each?.delivery ?? []).sort((a, b) => a.created_at - b.created_at);
}

const deliveryView = ({ id, job_id, run, type, url, state, tries, created_at, next_attempt_at, attempts }: Delivery) => ({
  id,
  job_id,
  run,
  type,
  url,
  state,
  tries,
  created_at: rfc3339(created_at),
  next_attempt_at: state === 'pending' ? rfc3339(next_attempt_at) : null,
  attempts: attempts.map(({ at, ...attempt }) => ({ ...attempt, at: rfc3339(at) })),
});

/** One job with all that is known of it: past runs, webhooks, and what happened when. */
export async function adminJobView(
  record: JobRecord,
  o: { deliveries: Pick<JobStore['deliveries'], 'read'>; sign: SignLink; now: number },
) {
  const deliveries = await deliveriesOf(o.deliveries, record);
  return {
    ...(await adminListView(record, o.sign, o.now)),
    step: record.step,
    crashes: record.crashes,
    attempts_spent: record.spent,
    due_at: rfc3339(record.due),
    open_call: record.sent === null ? null : { since: rfc3339(record.sent.at), until: rfc3339(record.sent.until) },
    unstored: record.pending === null ? null : { expires_at: rfc3339(record.pending.dies_at) },
    past_runs: Object.entries(record.past).map(([run, { status, error, finished_at }]) => ({
      run: Number(run),
      status,
      error,
      finished_at: rfc3339(finished_at),
    })),
    deliveries: deliveries.map(deliveryView),
    timeline: timelineOf(record, deliveries).map((each) => ({ ...each, at: rfc3339(each.at) })),
  };
}
