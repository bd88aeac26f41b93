import type { BulkActionView, BulkDryRunView } from '@grsai-jobs/jobs';
import { OUTAGE_MS } from '../../client.ts';
import { defineCommand, defineGroup, option } from '../../command.ts';
import { confirm } from '../../confirm.ts';
import type { Context } from '../../context.ts';
import { type Exit, usage } from '../../exit.ts';
import { filterOptions, type JobFilters } from '../../filters.ts';
import { firstOf } from '../../first.ts';
import { idempotently } from '../../idempotent.ts';
import { SHARED } from '../../job-options.ts';
import { bulkColumns, bulkText, dryRunText, progressText, shareOf, sum } from '../../output/bulk-text.ts';
import { plural } from '../../output/format.ts';
import { positive } from '../../values.ts';
import { patiently } from '../../wait.ts';

interface Options extends JobFilters {
  tenant?: string;
  signature?: string;
  rate?: number;
  dryRun?: boolean;
  includeUnknown?: boolean;
  reason?: string;
  yes?: boolean;
  wait: boolean;
  timeout?: number;
  idempotencyKey?: string;
}

const PATH = '/admin/v1/bulk-actions';
const pathOf = (id: string): string => `${PATH}/${encodeURIComponent(id)}`;

/** The filters as the body of a bulk action has them. */
const filterBody = (o: Options) => ({
  tenant: o.tenant,
  signature: o.signature,
  status: o.status,
  type: o.type,
  model: o.model,
  batch_id: o.batch,
  error_code: o.errorCode,
  metadata: o.metadata,
  created_after: o.since,
  created_before: o.until,
});

/** Which jobs are meant: those that are named, or those that fit. */
function target(o: Options, ids: readonly string[]): { ids: readonly string[] } | { filter: object } {
  const filter = filterBody(o);
  const filtered = Object.values(filter).some((value) => value !== undefined);
  if (ids.length > 0 === filtered)
    throw usage('Name jobs, or give at least one filter such as --signature or --status; not both');
  return ids.length > 0 ? { ids } : { filter };
}

const act = (name: 'requeue' | 'cancel' | 'redeliver', about: string, examples: readonly (readonly [string, string])[]) =>
  defineCommand<Options>({
    usage: `${name} [job...]`,
    about,
    details: 'The service works through the jobs behind its answer; --dry-run says how many fit and changes nothing.',
    examples,
    options: [
      SHARED.tenant(),
      SHARED.signature(),
      ...filterOptions(),
      option('--rate <n>', 'jobs in a minute at most', positive),
      option('--dry-run', 'only say what would be done'),
      ...(name === 'requeue'
        ? [option('--include-unknown', 'also jobs that may have been paid for: they are submitted again')]
        : []),
      option('--reason <text>', 'why; it stands in the audit log (a dry run needs none)'),
      SHARED.yes(),
      SHARED.idempotencyKey(),
      option('--no-wait', 'print the id and leave'),
      SHARED.timeout(),
    ],
    run: async (context, options, ids) => await start(context, name, options, ids),
  });

async function start(context: Context, action: string, o: Options, ids: readonly string[]): Promise<Exit> {
  const jobs = target(o, ids);
  if (!o.dryRun && o.reason === undefined) throw usage('--reason is missing: it stands in the audit log');
  const which = 'ids' in jobs ? plural(ids.length, 'job') : 'every job that fits';
  if (!o.dryRun && !(await confirm(context, `${action} ${which}?`, o.yes))) return 'failed';
  const json = {
    action,
    ...jobs,
    dry_run: o.dryRun === true,
    rate_per_min: o.rate,
    include_unknown: o.includeUnknown,
    reason: o.reason,
  };
  if (o.dryRun) {
    await context.out.value(await context.client.request<BulkDryRunView>('POST', PATH, { json }), dryRunText);
    return 'ok';
  }
  const made = await idempotently(
    context,
    o.idempotencyKey,
    'bulk action',
    async (idempotencyKey) => await context.client.request<BulkActionView>('POST', PATH, { json, idempotencyKey }),
  );
  context.hint(made.id);
  if (o.wait) return await follow(context, made.id, o.timeout);
  await context.out.value(made, () => made.id);
  return 'ok';
}

/** Between two looks at an action. */
const LOOK_MS = 1000;

async function follow(context: Context, id: string, timeoutS: number | undefined): Promise<Exit> {
  const { host, client, progress, out } = context;
  const goOn = `The action goes on. Follow it: ${host.program} bulk get ${id} --wait. End it: ${host.program} bulk abort ${id} --reason …`;
  const ended = await patiently(host, { timeoutS, goOn }, async (signal) => {
    for (;;) {
      const action = await client.request<BulkActionView>('GET', pathOf(id), { signal, outageMs: OUTAGE_MS });
      if (action.status !== 'running') return action;
      progress.update(progressText(action), shareOf(action));
      await host.sleep(LOOK_MS, signal);
    }
  });
  progress.end();
  await out.value(ended, bulkText);
  return ended.status === 'completed' && sum(ended.failed) === 0 ? 'ok' : 'failed';
}

const list = defineCommand<{ limit: number }>({
  usage: 'list',
  about: 'List bulk actions, the newest first',
  examples: [['bulk list', 'the newest 20']],
  options: [SHARED.limit()],
  run: async ({ client, out, host }, { limit }) => {
    await out.rows(firstOf<BulkActionView>(client, PATH, {}, limit), bulkColumns(host.now()), 'No bulk actions.');
    return 'ok';
  },
});

const get = defineCommand<{ wait?: boolean; timeout?: number }>({
  usage: 'get <bulk-action>',
  about: 'Show how far a bulk action is',
  examples: [['bulk get bulk_01KB… --wait', 'follow it to its end']],
  options: [option('-w, --wait', 'follow it to its end'), SHARED.timeout()],
  run: async (context, { wait, timeout }, [id = '']) => {
    if (wait) return await follow(context, id, timeout);
    await context.out.value(await context.client.request<BulkActionView>('GET', pathOf(id)), bulkText);
    return 'ok';
  },
});

const abort = defineCommand<{ reason: string }>({
  usage: 'abort <bulk-action>',
  about: 'End a bulk action; what it has done stays done',
  examples: [['bulk abort bulk_01KB… --reason "the wrong group"', 'the rest is left alone']],
  options: [SHARED.reason()],
  run: async ({ client, out }, { reason }, [id = '']) => {
    await out.value(await client.request<BulkActionView>('POST', `${pathOf(id)}/abort`, { json: { reason } }), bulkText);
    return 'ok';
  },
});

const resume = defineCommand<{ reason: string; wait: boolean; timeout?: number }>({
  usage: 'resume <bulk-action>',
  about: 'Go on with an aborted bulk action where it stopped',
  examples: [['bulk resume bulk_01KB… --reason "it was the right group"', 'follow it to its end']],
  options: [SHARED.reason(), option('--no-wait', 'print the id and leave'), SHARED.timeout()],
  run: async (context, { reason, wait, timeout }, [id = '']) => {
    const action = await context.client.request<BulkActionView>('POST', `${pathOf(id)}/resume`, { json: { reason } });
    if (wait) return await follow(context, id, timeout);
    await context.out.value(action, () => id);
    return 'ok';
  },
});

export const bulk = defineGroup('bulk', 'Requeue, cancel or redeliver many jobs: at a rate, behind the answer', [
  act('requeue', 'Run failed jobs again; of a group or an error code expired ones too, else those of --status', [
    ['bulk requeue --signature sig_0123456789abcdef --dry-run', 'how many would it be?'],
    ['bulk requeue --signature sig_0123456789abcdef --rate 60 --reason "upstream is well"', 'one in a second'],
  ]),
  act('cancel', 'Cancel live jobs', [
    ['bulk cancel --tenant acme --status queued --reason "asked by acme" --yes', 'what waits of a tenant'],
  ]),
  act('redeliver', 'Send the webhooks of jobs again', [
    ['bulk redeliver --tenant acme --since 6h --reason "their receiver was down"', 'of the last six hours'],
  ]),
  list,
  get,
  abort,
  resume,
]);
