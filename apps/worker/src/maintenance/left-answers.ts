import type { CancelJob } from '@grsai-jobs/job-actions';
import type { JobStore } from '@grsai-jobs/job-store';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import { eachOf } from './each.ts';

export const LEFT_ANSWERS_EVERY_MS = 5000;
const RUN_MS = 30_000;

interface Deps {
  store: Pick<JobStore, 'answers' | 'jobs'>;
  cancelJob: CancelJob;
  clock: Clock;
  log: Logger;
  shutdown: { readonly stopping: AbortSignal };
}

/** Cancels chats whose caller has left without coming back: nobody would read their answer. */
export function createLeftAnswers(d: Deps): () => Promise<void> {
  return async () => {
    const cancel = async (id: string) => {
      const job = await d.store.jobs.read(id);
      if (job === null) return;
      const { kind } = await d.cancelJob(job);
      d.log.info({ event: 'job.left', job_id: id, outcome: kind }, 'nobody came back for the answer of a chat');
    };
    await eachOf(d, await d.store.answers.left(), cancel, { forMs: RUN_MS });
  };
}
