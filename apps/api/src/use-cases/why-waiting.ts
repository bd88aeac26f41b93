import type { Rooms } from '@grsai-jobs/job-store';
import type { BatchRecord, JobRecord, Waiting } from '@grsai-jobs/jobs';

type Why = Pick<Rooms, 'why'>;

/** Why the queued ones of these jobs wait, by id: one round trip for a page, and none where no job is queued. */
export const whyJobsWait = (
  rooms: Why,
  jobs: readonly Pick<JobRecord, 'id' | 'status'>[],
): Promise<ReadonlyMap<string, Waiting>> =>
  rooms.why({ jobs: jobs.flatMap(({ id, status }) => (status === 'queued' ? [id] : [])) });

/** The same of batches that have queued jobs. */
export const whyBatchesWait = (rooms: Why, batches: readonly BatchRecord[]): Promise<ReadonlyMap<string, Waiting>> =>
  rooms.why({ batches: batches.filter(({ status, counts }) => status === 'running' && counts.queued > 0) });
