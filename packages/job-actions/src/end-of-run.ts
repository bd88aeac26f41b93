import type { JobRecord } from '@grsai-jobs/jobs';

/** The one line of a job at `info`: how its run ended, with all that says why. */
export function endLine(job: JobRecord, now: number) {
  const { status, error, doc, run } = job;
  const attempts = job.attempts.filter((each) => each.run === run);
  return {
    event: 'job.ended',
    job_id: job.id,
    tenant: job.tenant,
    type: doc.type,
    model: doc.input.model,
    status,
    code: error?.code,
    run,
    attempts: attempts.length,
    upstream_status: attempts.at(-1)?.upstream_status,
    ...(job.batch_id === null ? {} : { batch_id: job.batch_id }),
    duration_ms: now - job.created_at,
  };
}
