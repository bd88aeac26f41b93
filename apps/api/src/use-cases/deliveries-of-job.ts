import type { JobStore } from '@grsai-jobs/job-store';
import { type Delivery, dottedEventId, eventId, JOB_EVENTS, type JobRecord } from '@grsai-jobs/jobs';

/** Deliveries of runs older than the newest ten are not looked for. */
const RUNS_SHOWN = 10;

/** The webhooks of a job, the oldest first. Their ids are made from the job, so no list is searched. */
export async function deliveriesOfJob(deliveries: Pick<JobStore['deliveries'], 'read'>, job: JobRecord): Promise<Delivery[]> {
  const events = JOB_EVENTS.filter((type) => job.doc.webhook?.events.includes(type));
  const runs = Array.from({ length: Math.min(job.run, RUNS_SHOWN) }, (_, i) => job.run - i);
  const ids = runs.flatMap((run) => events.map((type) => eventId(job.id, run, type))).flatMap((id) => [id, dottedEventId(id)]);
  const found = await Promise.all(ids.map((id) => deliveries.read(id)));
  return found.flatMap((each) => each?.delivery ?? []).sort((a, b) => a.created_at - b.created_at);
}
