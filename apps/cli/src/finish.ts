import type { Context } from './context.ts';
import type { Exit } from './exit.ts';
import { followJob, stateText } from './follow-job.ts';
import type { Job } from './jobs.ts';
import { endText, resultText } from './output/job-text.ts';
import { paintFor } from './output/paint.ts';

/** `--wait`: follows a job to its end with the state on stderr; its result goes to stdout. */
export async function finish(context: Context, job: Pick<Job, 'id' | 'run'>, timeoutS: number | undefined): Promise<Exit> {
  const { progress } = context;
  const ended = await followJob(context, job.id, {
    timeoutS,
    fromRun: job.run,
    onEvent: (event) => {
      const text = `${job.id} ${stateText(event)}`;
      if (event.type === 'job.progress') progress.update(text);
      else progress.step(text);
    },
  });
  progress.end();
  return await showEnd(context, ended);
}

/** The result on stdout, and how the job ended on stderr. */
async function showEnd(context: Context, job: Job): Promise<Exit> {
  const { host } = context;
  context.hint(endText(job, paintFor(host.stderr, host.env), host.now()));
  await context.out.value(job, () => resultText(job, host.stdout.isTTY === true));
  return job.status === 'succeeded' ? 'ok' : 'failed';
}
