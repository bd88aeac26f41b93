import type { Job, JobProgress } from '@grsai-jobs/client';
import { OUTAGE_MS } from './client.ts';
import type { Context } from './context.ts';
import type { Exit } from './exit.ts';
import { followHint, stateText } from './follow-job.ts';
import { endText, resultText, shownBy } from './output/job-text.ts';
import { paintFor } from './output/paint.ts';
import { patiently } from './wait.ts';

/** `--wait`: waits for the end of a job with its state on stderr; its result goes to stdout. */
export async function finish(
  context: Context,
  { id, run }: Pick<Job, 'id' | 'run'>,
  timeoutS: number | undefined,
): Promise<Exit> {
  const { client, host, progress } = context;
  let stage = '';
  const onProgress = (now: JobProgress): void => {
    // Older runs come first.
    if (now.run < run) return;
    const text = `${id} ${stateText(now)}`;
    const before = stage;
    stage = `${now.status} ${now.stage}`;
    if (stage === before) progress.update(text);
    else progress.step(text);
  };
  const ended = await patiently(
    host,
    { timeoutS, goOn: followHint(host, id) },
    async (signal) => await client.jobs.wait(id, { signal, outageMs: OUTAGE_MS, onProgress }),
  );
  progress.end();
  return await showEnd(context, ended);
}

/** The result on stdout, and how the job ended on stderr. */
async function showEnd(context: Context, job: Job): Promise<Exit> {
  const { host } = context;
  context.hint(endText(job, paintFor(host.stderr, host.env), shownBy(host)));
  await context.out.value(job, () => resultText(job, host.stdout.isTTY === true));
  return job.status === 'succeeded' ? 'ok' : 'failed';
}
