import type { Batch } from '../../batches.ts';
import { choice, defineCommand, option } from '../../command.ts';
import type { Context } from '../../context.ts';
import { idempotently } from '../../idempotent.ts';
import { SHARED } from '../../job-options.ts';
import { badLineColumns } from '../../output/batch-text.ts';
import { bytes, plural } from '../../output/format.ts';
import { table } from '../../output/table.ts';
import { openUpload } from '../../upload.ts';
import { checkResults, finishBatch } from './finish-batch.ts';

interface Options {
  onInvalid?: string;
  webhookUrl?: string;
  webhookEvents?: string[];
  metadata?: Record<string, string>;
  priority?: string;
  expiresIn?: number;
  idempotencyKey?: string;
  gzip?: boolean;
  wait: boolean;
  results?: string;
  timeout?: number;
}

export const submitBatch = defineCommand<Options>({
  usage: 'submit <file>',
  about: 'Send a file of NDJSON, a job on each line (- is stdin)',
  details:
    'A line is what POST /v1/jobs takes, with a custom_id. The file is read as it is sent, up to 50 000 lines and 200 MB. Then the batch is followed to its end.',
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
    option('--gzip', 'pack what is sent (default: from 64 KiB, to another machine)'),
    option('--no-gzip', 'send it as it is'),
  ],
  run: async (context, options, [file = '']) => {
    await checkResults(options);
    const batch = await send(context, file, options);
    context.progress.end();
    if (batch.invalid !== undefined && batch.invalid.count > 0) showInvalid(context, batch.id, batch.invalid);
    if (options.wait) {
      context.hint(`${batch.id}, ${plural(batch.counts.total, 'job')}`);
      return await finishBatch(context, batch.id, options);
    }
    context.hint(`Accepted, ${plural(batch.counts.total, 'job')}. Follow it: pnpm jobs batch get ${batch.id} --wait`);
    await context.out.value(batch, ({ id }) => id);
    return 'ok';
  },
});

async function send(context: Context, file: string, o: Options): Promise<Batch> {
  const { api, host, progress } = context;
  const upload = await openUpload(host, file, {
    url: api.url,
    gzip: o.gzip,
    sent: (sent) =>
      progress.update(`Sending, ${bytes(sent)}`, upload.bytes === undefined ? undefined : { done: sent, total: upload.bytes }),
  });
  const query = {
    on_invalid: o.onInvalid,
    webhook_url: o.webhookUrl,
    webhook_events: o.webhookEvents,
    priority: o.priority,
    expires_in_s: o.expiresIn,
    ...Object.fromEntries(Object.entries(o.metadata ?? {}).map(([name, value]) => [`metadata.${name}`, value])),
  };
  const { bytes: _size, ...body } = upload;
  return await idempotently(
    context,
    o.idempotencyKey,
    'batch',
    // No limit of time: how long an upload takes is for the line to say.
    async (idempotencyKey) => await api.post<Batch>('/v1/batches', undefined, { ...body, query, idempotencyKey, timeoutMs: 0 }),
  );
}

const INVALID_SHOWN = 10;

function showInvalid({ hint }: Context, id: string, { count, errors }: NonNullable<Batch['invalid']>): void {
  const more = count > INVALID_SHOWN ? `\n… all of them: pnpm jobs batch errors ${id}` : '';
  hint(
    `${plural(count, 'bad line was', 'bad lines were')} left out:\n${table(badLineColumns, errors.slice(0, INVALID_SHOWN))}${more}`,
  );
}
