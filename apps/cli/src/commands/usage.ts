import type { UsageRow } from '@grsai-jobs/jobs';
import { defineCommand, option } from '../command.ts';
import { count } from '../output/format.ts';
import type { Column } from '../output/table.ts';
import { words } from '../values.ts';

interface Options {
  from?: string;
  to?: string;
  by?: string[];
  tenant?: string;
  allTenants?: boolean;
}

type Row = UsageRow & { tenant?: string | null };

const sum = (
  head: string,
  name: 'jobs' | 'credits' | 'reserved' | 'refunded' | 'prompt_tokens' | 'completion_tokens',
): Column<Row> => ({
  head,
  cell: (row) => count(row[name]),
  align: 'right',
});

const COLUMNS: readonly Column<Row>[] = [
  { head: 'DAY', cell: ({ day }) => day },
  { head: 'TENANT', cell: ({ tenant }) => tenant ?? null },
  { head: 'MODEL', cell: ({ model }) => model },
  { head: 'KEY', cell: ({ key }) => key },
  sum('JOBS', 'jobs'),
  sum('CREDITS', 'credits'),
  sum('RESERVED', 'reserved'),
  sum('REFUNDED', 'refunded'),
  sum('TOKENS IN', 'prompt_tokens'),
  sum('OUT', 'completion_tokens'),
];

export const usage = defineCommand<Options>({
  usage: 'usage',
  about: 'What paid calls came to, by day, model or key',
  details:
    'Credits of the upstream account, of jobs whose model had a known price, on the day (UTC) on which each call began. RESERVED is set aside for what is in flight, or may have been charged.',
  examples: [
    ['usage', 'the days of this month'],
    ['usage --from 2026-11-01 --to 2026-11-30 --by model', 'November by model'],
    ['usage --tenant acme --by key', 'of one tenant, with a key of an operator'],
    ['usage --all-tenants --by tenant', 'of all tenants, with a key of an operator'],
  ],
  options: [
    option('--from <date>', 'the first day; left out: the first of this month'),
    option('--to <date>', 'the last day; left out: today'),
    option('--by <list>', 'day, model, key; with a key of an operator also tenant', words),
    option('--tenant <name>', 'of this tenant, with a key of an operator'),
    option('--all-tenants', 'of all tenants, with a key of an operator; at most 31 days'),
  ],
  run: async ({ client, out }, { from, to, by, tenant, allTenants }) => {
    const asked = { from, to, group_by: by?.join(','), tenant };
    const query = new URLSearchParams(
      Object.entries(asked).flatMap(([name, value]) => (value ? [[name, value] as [string, string]] : [])),
    );
    const path = tenant !== undefined || allTenants ? '/admin/v1/usage' : '/v1/usage';
    const { data } = await client.request<{ data: Row[] }>('GET', `${path}${query.size > 0 ? `?${query}` : ''}`);
    await out.rows(data, COLUMNS.filter(isUsed(data)), 'No paid calls.');
    return 'ok';
  },
});

/** What is not grouped by has no column. */
const isUsed =
  (rows: readonly Row[]) =>
  ({ cell }: Column<Row>): boolean =>
    rows.some((row) => cell(row) !== null);
