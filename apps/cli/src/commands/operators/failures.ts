import type { AdminJobView, FailureGroupView, FailureListView } from '@grsai-jobs/jobs';
import { choice, defineCommand, option } from '../../command.ts';
import { SHARED } from '../../job-options.ts';
import { ago, count, plural } from '../../output/format.ts';
import type { Column } from '../../output/table.ts';
import { instant, words } from '../../values.ts';

interface Options {
  tenant?: string;
  code?: string[];
  stage?: string;
  type?: string;
  model?: string;
  signature?: string;
  since?: string;
  until?: string;
  limit: number;
}

const columns = (now: number): Column<FailureGroupView>[] => [
  { head: 'JOBS', cell: (group) => count(group.count), align: 'right' },
  { head: 'CODE', cell: ({ code }) => code, style: (paint, text) => paint('red', text) },
  { head: 'STAGE', cell: ({ stage }) => stage, yields: 4 },
  { head: 'HTTP', cell: ({ upstream_status }) => upstream_status, yields: 3 },
  { head: 'WHAT', cell: ({ text }) => text, shrinks: true },
  { head: 'FIRST', cell: ({ first }) => ago(first, now), align: 'right', yields: 2 },
  { head: 'LAST', cell: ({ last }) => ago(last, now), align: 'right', yields: 5 },
  { head: 'RETRY', cell: ({ retryable }) => (retryable ? 'yes' : 'no') },
  { head: 'SIGNATURE', cell: ({ id }) => id },
  { head: 'NEWEST', cell: ({ samples }) => samples[0], yields: 1 },
];

export const failures = defineCommand<Options>({
  usage: 'failures',
  about: 'Failed and expired jobs by what they have in common, the largest group first',
  examples: [
    ['failures --since 1d', 'of the last day'],
    ['failures --code upstream_failed --tenant acme', 'of one kind and tenant'],
  ],
  options: [
    SHARED.tenant(),
    option('--code <list>', 'such as content_rejected,upstream_failed', words),
    choice('--stage <stage>', 'where it failed', ['queued', 'submitting', 'generating', 'storing']),
    choice('--type <type>', 'kind of job', ['chat', 'image']),
    option('--model <name>', 'model'),
    SHARED.signature(),
    option('--since <time>', 'failed after: 2h (ago), or 2026-05-01T12:00:00Z', instant(Date.now)),
    option('--until <time>', 'failed before', instant(Date.now)),
    SHARED.limit(),
  ],
  run: async ({ client, out, hint, host }, { limit, ...filter }) => {
    // One page and no more: a group on the next one could be a group of this one, counted anew.
    const query = { ...pick(filter), limit: Math.min(limit, 100) };
    const page = await client.request<FailureListView>('GET', '/admin/v1/failures', { query });
    await out.rows(page.data, columns(host.now()), 'No failures.');
    if (page.data.length > 0) {
      const shown = page.data.length;
      const largest = `; the largest ${count(shown)} ${shown === 1 ? 'is' : 'are'} shown, --limit (to 100) shows more`;
      hint(`${plural(page.jobs, 'job')} in ${plural(page.groups, 'group')}${shown < page.groups ? largest : ''}.`);
      const { program } = host;
      hint(
        `Their jobs: ${program} list --all-tenants --signature <id>. Run them again: ${program} bulk requeue --signature <id>`,
      );
    }
    if (page.next_cursor !== null) hint('Older failures are not counted; --until leads to them.');
    return 'ok';
  },
});

const pick = ({ tenant, code, stage, type, model, signature, since, until }: Omit<Options, 'limit'>) => ({
  tenant,
  code,
  stage,
  type,
  model,
  signature,
  since,
  until,
});

export const requeue = defineCommand<{ mode?: string; reason: string }>({
  usage: 'requeue <job>',
  about: 'Run a failed, expired or canceled job of any tenant again',
  examples: [['requeue job_01KB… --reason "upstream is well again"', 'as the owner could']],
  options: [choice('--mode <mode>', 'resume never pays, resubmit pays anew', ['resume', 'resubmit']), SHARED.reason()],
  run: async ({ client, out }, { mode, reason }, [id = '']) => {
    const path = `/admin/v1/jobs/${encodeURIComponent(id)}/requeue`;
    const job = await client.request<AdminJobView>('POST', path, { json: { mode, reason } });
    await out.value(job, ({ tenant, run, status }) => `${id} of ${tenant} runs again (run ${run}, ${status})`);
    return 'ok';
  },
});
