import type { AcceptedBatch, CreateBatchOptions } from '@grsai-jobs/client';
import { choice, defineCommand, option } from '../../command.ts';
import type { Context } from '../../context.ts';
import { idempotently } from '../../idempotent.ts';
import { SHARED } from '../../job-options.ts';
import { badLineColumns } from '../../output/batch-text.ts';
import { bytes, plural } from '../../output/format.ts';
import { table } from '../../output/table.ts';
import { openSource } from '../../source.ts';
import { checkResults, finishBatch } from './finish-batch.ts';

interface Options {
  onInvalid?: CreateBatchOptions['on_invalid'];
  webhookUrl?: string;
  webhookEvents?: string[];
  metadata?: Record<string, string>;
  priority?: CreateBatchOptions['priority'];
  expiresIn?: number;
  idempotencyKey?: string;
  gzip: boolean;
  wait: boolean;
  results?: string;
  timeout?: number;
}

export const submitBatch = defineCommand<Options>({
  usage: 'submit <file>',
  about: 'Send a file of NDJSON, a job on each line (- is stdin)',
  details:
    'A line is what POST /v1/jobs takes, with a custom_id. The file, packed by gzip or not, is read as it is sent, up to 50 000 lines and 200 MB. Then the batch is followed to its end.',
  examples: [
    ['batch submit prompts.ndjson --results results.ndjson', 'send, follow, and save what came of each line'],
    ['batch submit prompts.ndjson --on-invalid skip --no-wait', 'leave bad lines out; print the id of the batch at once'],
    ['batch submit - --metadata campaign=spring < prompts.ndjson', 'from stdin'],
  ],
  options: [
    choice('--on-invalid <what>', 'a bad line: nothing is accepted (default), or the others are', ['reject', 'skip']),
    option('--results <file>', 'save the results there when it is done; a broken save goes on where it stopped'),
    option('--no-wait', 'print the id and leave'),
    SHARED.timeout(),
    SHARED.webhookUrl(),
    SHARED.webhookEvents(),
    SHARED.metadata(),
    SHARED.priority(),
    SHARED.expiresIn(),
    SHARED.idempotencyKey(),
    option('--gzip', 'pack what is sent (default)').default(true),
    option('--no-gzip', 'send it as it is'),
  ],
  run: async (context, options, [file = '']) => {
    await checkResults(options);
    const batch = await send(context, file, options);
    context.progress.end();
    if (batch.invalid !== undefined && batch.invalid.count > 0) showInvalid(context, batch.id, batch.invalid);
    if (batch.warnings !== undefined) showWarnings(context, batch.warnings);
    if (options.wait) {
      context.hint(`${batch.id}, ${plural(batch.counts.total, 'job')}`);
      return await finishBatch(context, batch.id, options);
    }
    context.hint(
      `Accepted, ${plural(batch.counts.total, 'job')}. Follow it: ${context.host.program} batch get ${batch.id} --wait`,
    );
    await context.out.value(batch, ({ id }) => id);
    return 'ok';
  },
});

async function send(context: Context, file: string, o: Options): Promise<AcceptedBatch> {
  const { client, host, progress } = context;
  const source = await openSource(host, file);
  const onProgress = ({ bytes: sent }: { bytes: number }): void =>
    progress.update(`Sending, ${bytes(sent)}`, source.bytes === undefined ? undefined : { done: sent, total: source.bytes });
  return await idempotently(
    context,
    o.idempotencyKey,
    'batch',
    async (idempotencyKey) =>
      await client.batches.create(source.chunks, {
        idempotencyKey,
        on_invalid: o.onInvalid,
        webhook_url: o.webhookUrl,
        webhook_events: o.webhookEvents,
        priority: o.priority,
        expires_in_s: o.expiresIn,
        metadata: o.metadata,
        gzip: o.gzip,
        signal: host.interrupt,
        onProgress,
      }),
  );
}

const INVALID_SHOWN = 10;

function showInvalid({ hint, host }: Context, id: string, { count, errors }: NonNullable<AcceptedBatch['invalid']>): void {
  const more = count > INVALID_SHOWN ? `\n… all of them: ${host.program} batch errors ${id}` : '';
  hint(
    `${plural(count, 'bad line was', 'bad lines were')} left out:\n${table(badLineColumns, errors.slice(0, INVALID_SHOWN))}${more}`,
  );
}

/** The first line says what; most often it holds for all of them. */
function showWarnings({ hint }: Context, { count, lines: [first] }: NonNullable<AcceptedBatch['warnings']>): void {
  const [warning] = first?.warnings ?? [];
  hint(`Warning: ${plural(count, 'line')} may come to nothing; line ${first?.line}: ${warning?.message}`);
}
