import type { Batch, BatchResult } from '@grsai-jobs/client';
import { hasEnded } from '../../batches.ts';
import { choice, defineCommand, option } from '../../command.ts';
import { usage } from '../../exit.ts';
import { first, PAGE } from '../../first.ts';
import { SHARED } from '../../job-options.ts';
import { ofTenants, TENANT } from '../../of-tenants.ts';
import { badLineColumns, batchColumns, batchText } from '../../output/batch-text.ts';
import { plural } from '../../output/format.ts';
import { checkWritable, saveResults } from '../../results-file.ts';
import { whole } from '../../values.ts';
import { finishBatch } from './finish-batch.ts';

export const getBatch = defineCommand<{ wait?: boolean; timeout?: number; results?: string }>({
  usage: 'get <batch>',
  about: 'Show a batch, or follow it to its end',
  examples: [
    ['batch get batch_01KB…', 'on a page'],
    ['batch get batch_01KB… --wait --results results.ndjson', 'follow it, then save its results'],
  ],
  options: [
    option('-w, --wait', 'follow it to its end'),
    option('--results <file>', 'with --wait: save the results there'),
    SHARED.timeout(),
  ],
  run: async (context, options, [id = '']) => {
    if (options.wait) {
      if (options.results !== undefined) await checkWritable(options.results);
      return await finishBatch(context, id, options);
    }
    if (options.results !== undefined)
      throw usage(`--results needs --wait; without it: ${context.host.program} batch results ${id} --out <file>`);
    const { client, out, host } = context;
    const batch = await client.batches.get(id);
    await out.value(batch, (value, paint) => batchText(value, paint, host.now()));
    return 'ok';
  },
});

export const listBatches = defineCommand<{ limit: number; all?: boolean; tenant?: string }>({
  usage: 'list',
  about: 'List batches, the newest first',
  examples: [
    ['batch list', 'the newest 20'],
    ['batch list --tenant acme', 'of a tenant; the key of an operator lists those of all'],
  ],
  options: [SHARED.limit(), option('--all', 'show all of them'), SHARED.tenant().helpGroup('For operators:')],
  run: async ({ client, out, host }, { limit, all, tenant }) => {
    const most = all ? Number.POSITIVE_INFINITY : limit;
    const page = { limit: Math.min(most, PAGE) };
    const own = () => client.batches.list(page);
    const { ofAll, rows } = await ofTenants<Batch & { tenant?: string }>(client, '/admin/v1/batches', { ...page, tenant }, own);
    await out.rows(first(most, rows), [...(ofAll ? [TENANT] : []), ...batchColumns(host.now())], 'No batches.');
    return 'ok';
  },
});

export const batchResults = defineCommand<{ status?: BatchResult['status']; afterLine: number; out?: string }>({
  usage: 'results <batch>',
  about: 'What came of each line, as NDJSON',
  details:
    'Lines of jobs that have ended, in the order of the batch; also while it runs. With --out only of an ended batch, and a save that was broken off goes on where it stopped.',
  examples: [
    ['batch results batch_01KB… --out results.ndjson', 'save them'],
    ['batch results batch_01KB… --status failed | jq -r .custom_id', 'what failed'],
  ],
  options: [
    choice('--status <status>', 'only these', ['succeeded', 'failed', 'canceled', 'expired']),
    option('--after-line <n>', 'only lines after this one', whole).default(0),
    option('-o, --out <file>', 'save them in a file'),
  ],
  run: async (context, { status, afterLine, out: file }, [id = '']) => {
    const { client, out, progress, hint } = context;
    if (file !== undefined) {
      await checkWritable(file);
      const batch = await client.batches.get(id);
      if (!hasEnded(batch)) {
        progress.note(`${id} is still ${batch.status}: ${context.host.program} batch get ${id} --wait --results ${file}`);
        return 'failed';
      }
      const lines = await saveResults(context, batch, file, { status, afterLine });
      progress.end();
      hint(`${plural(lines, 'line')} in ${file}`);
      if (out.json) await out.value({ batch_id: id, file, lines }, () => '');
      return 'ok';
    }
    for await (const line of client.batches.resultLines(id, { status, after_line: afterLine })) await out.text(line);
    return 'ok';
  },
});

export const batchErrors = defineCommand<object>({
  usage: 'errors <batch>',
  about: 'The lines that were left out (--on-invalid skip), and why',
  examples: [['batch errors batch_01KB…', 'as a table']],
  run: async ({ client, out }, _options, [id = '']) => {
    await out.rows(client.batches.errors(id), badLineColumns, 'No line was left out.');
    return 'ok';
  },
});
