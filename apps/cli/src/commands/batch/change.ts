import { defineCommand, option } from '../../command.ts';
import { countsText } from '../../follow-batch.ts';
import { SHARED } from '../../job-options.ts';
import { plural } from '../../output/format.ts';
import { paintStatus } from '../../output/paint.ts';
import { checkResults, finishBatch } from './finish-batch.ts';

export const cancelBatch = defineCommand<object>({
  usage: 'cancel <batch>',
  about: 'Cancel what has not ended yet',
  details: 'Jobs that have ended stay as they are. Image tasks that work upstream may still be charged.',
  examples: [['batch cancel batch_01KB…', 'it is canceling until the last in-flight call has ended']],
  run: async ({ client, out }, _options, [id = '']) => {
    const batch = await client.batches.cancel(id);
    await out.value(batch, (value, paint) => `${id} ${paintStatus(paint, value.status)}, ${countsText(value.counts)}`);
    return 'ok';
  },
});

interface RetryOptions {
  includeUnknown?: boolean;
  wait: boolean;
  results?: string;
  timeout?: number;
}

export const retryFailed = defineCommand<RetryOptions>({
  usage: 'retry-failed <batch>',
  about: 'Run the failed jobs of a batch again',
  details:
    'Jobs that ended as submit_unknown may have been paid for already, and are left out unless --include-unknown. Then the batch is followed to its end.',
  examples: [
    ['batch retry-failed batch_01KB… --results results.ndjson', 'another round, and the results of all lines'],
    ['batch retry-failed batch_01KB… --include-unknown --no-wait', 'may pay twice'],
  ],
  options: [
    option('--include-unknown', 'submit jobs again of which nobody knows whether they were paid for'),
    option('--no-wait', 'print the id and leave'),
    option('--results <file>', 'save the results of all lines there when it is done'),
    SHARED.timeout(),
  ],
  run: async (context, options, [id = '']) => {
    const { client, out, hint } = context;
    await checkResults(options);
    const include_unknown = options.includeUnknown === true;
    const batch = await client.batches.retryFailed(id, { include_unknown, begun: options.wait });
    hint(`${plural(batch.retrying, 'job runs', 'jobs run')} again.`);
    if (batch.left_out > 0)
      hint(`${plural(batch.left_out, 'job is', 'jobs are')} left out, as they may have been paid for (--include-unknown).`);
    if (options.wait) return await finishBatch(context, id, options);
    await out.value(batch, () => id);
    return 'ok';
  },
});
