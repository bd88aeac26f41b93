import type { BatchRecord } from './batch.ts';
import type { JobRecord } from './job/job.ts';

/** Where the objects of a job, or of a batch, stand: `<prefix>/<tenant>/<yyyy>/<mm>/<dd>/<id>` (design.md §2.5). */
export function objectFolder(prefix: string, job: Pick<JobRecord | BatchRecord, 'id' | 'tenant' | 'created_at'>): string {
  const day = new Date(job.created_at).toISOString().slice(0, 10).replaceAll('-', '/');
  return `${prefix === '' ? '' : `${prefix.replace(/\/+$/, '')}/`}${job.tenant}/${day}/${job.id}`;
}
