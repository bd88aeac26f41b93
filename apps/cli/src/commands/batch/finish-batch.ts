import type { Batch } from '@grsai-jobs/client';
import { allSucceeded } from '../../batches.ts';
import type { Context } from '../../context.ts';
import { type Exit, usage } from '../../exit.ts';
import { followBatch } from '../../follow-batch.ts';
import { batchEndText } from '../../output/batch-text.ts';
import { plural } from '../../output/format.ts';
import { shownBy } from '../../output/job-text.ts';
import { checkWritable, saveResults } from '../../results-file.ts';
import { patiently } from '../../wait.ts';

/** Tells, before anything is sent, that results cannot be saved as they are asked for. */
export async function checkResults({ wait, results }: { wait: boolean; results?: string }): Promise<void> {
  if (results === undefined) return;
  if (!wait) throw usage('--results is saved when the batch has ended: leave --no-wait out');
  await checkWritable(results);
}

/** Follows a batch to its end, saves its results where they are wanted, and shows how it ended. */
export async function finishBatch(context: Context, id: string, o: { timeout?: number; results?: string }): Promise<Exit> {
  const { host, out, progress, hint } = context;
  const ended = await followBatch(context, id, o.timeout);
  progress.end();
  if (o.results !== undefined) {
    const file = o.results;
    const goOn = `The batch has ended. Go on: ${host.program} batch results ${id} --out ${file}`;
    const lines = await patiently(host, { goOn }, async () => await saveResults(context, ended, file));
    progress.end();
    hint(`${plural(lines, 'line')} in ${o.results}`);
  }
  await out.value<Batch>(ended, (batch, paint) => batchEndText(batch, paint, shownBy(host)));
  return allSucceeded(ended) ? 'ok' : 'failed';
}
