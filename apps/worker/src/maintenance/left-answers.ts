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
    const left = new Map((await d.store.answers.left()).map(({ id, jobs }) => [id, jobs]));
    const cancel = async (answer: string) => {
      let busy = false;
      const jobs = left.get(answer) ?? [];
      for (const id of jobs) {
        const job = await d.store.jobs.read(id);
        if (job === null) continue;
        const { kind } = await d.cancelJob(job);
        busy ||= kind === 'busy';
        d.log.info({ event: 'job.left', job_id: id, outcome: kind }, 'nobody came back for the answer of a chat');
      }
      if (!busy) await d.store.answers.canceled({ id: answer, jobs });
    };
    await eachOf(d, [...left.keys()], cancel, { forMs: RUN_MS });
  };
}
