import { type CallOptions, within } from './deadline.ts';
import { FRUITLESS, REOPEN_MS, startAt } from './event-source.ts';
import { followOnce } from './job-events.ts';
import { pathOf } from './paths.ts';
import { ENDED } from './results.ts';
import { OUTAGE_MS } from './retry-policy.ts';
import type { Transport } from './transport.ts';
import type { Job, JobEvent } from './types.ts';

/** How far a job has come. */
export type JobProgress = Pick<JobEvent, 'status' | 'stage' | 'progress' | 'run'>;

export interface WaitForJobOptions extends CallOptions {
  onProgress?: ((progress: JobProgress) => void) | undefined;
  /** Milliseconds for which the service may be away without a break before the wait rejects (default 10 min). */
  outageMs?: number | undefined;
}

/** Between two questions where the service names no time. */
const POLL_MS = 2_000;

/** Follows the events of a job, and asks for it whenever their stream is over; where none come through it only asks. */
export async function waitForJob(
  transport: Transport,
  id: string,
  { onProgress, outageMs = OUTAGE_MS, ...call }: WaitForJobOptions,
): Promise<Job> {
  return await within(call, async (signal) => {
    const report = changes(onProgress);
    const at = startAt(0);
    for (let fruitless = 0; ; ) {
      if (fruitless < FRUITLESS) {
        for await (const event of followOnce(transport, id, at, { signal })) report(event);
        fruitless = at.heard ? 0 : fruitless + 1;
      }
      // An event is news, the job is the truth.
      const patience = { outageMs };
      const { value: job, retryAfterMs } = await transport.request<Job>('GET', pathOf('jobs', id), { signal, patience });
      if (ENDED.has(job.status)) return job;
      report(job);
      const pauseMs = fruitless === 0 ? REOPEN_MS : (retryAfterMs ?? POLL_MS);
      await transport.sleep(pauseMs * (0.75 + transport.random() / 2), signal);
    }
  });
}

/** Calls `onProgress` when something has changed. */
function changes(onProgress: ((progress: JobProgress) => void) | undefined): (progress: JobProgress) => void {
  let last = '';
  return ({ status, stage, progress, run }) => {
    const now = JSON.stringify([status, stage, progress, run]);
    if (now === last) return;
    last = now;
    onProgress?.({ status, stage, progress, run });
  };
}
