import type { OverviewView } from '@grsai-jobs/jobs';
import { defineCommand } from '../../command.ts';
import { ago, bytes, count, duration, plural } from '../../output/format.ts';
import { plain } from '../../output/paint.ts';
import { type Column, facts, type TableOptions, table } from '../../output/table.ts';
import { queueColumns } from './queues.ts';

export const overview = defineCommand<object>({
  usage: 'overview',
  about: 'How it goes: depths, rates, pauses, workers, memory',
  examples: [['overview', 'on a page']],
  run: async ({ client, out, host }) => {
    await out.value(await client.request<OverviewView>('GET', '/admin/v1/overview'), (state, paint, width) =>
      overviewText(state, { paint, width, program: host.program }, host.now()),
    );
    return 'ok';
  },
});

type Rate = OverviewView['rates'][number];
type Worker = OverviewView['workers'][number];

const rateColumns: Column<Rate>[] = [
  { head: 'PER MINUTE OVER', cell: ({ minutes }) => duration(minutes * 60_000) },
  { head: 'ACCEPTED', cell: (rate) => rate.accepted_per_min, align: 'right' },
  { head: 'ENDED', cell: (rate) => rate.ended_per_min, align: 'right' },
  {
    head: 'FAILED',
    cell: (rate) => rate.failed_per_min,
    align: 'right',
    style: (paint, text, rate) => (rate.failed_per_min > 0 ? paint('red', text) : text),
  },
];

const workerColumns = (now: number): Column<Worker>[] => [
  { head: 'WORKER', cell: ({ host, pid }) => `${host} ${pid}` },
  { head: 'VERSION', cell: ({ version }) => version },
  { head: 'STARTED', cell: ({ started_at }) => ago(started_at, now), align: 'right' },
  { head: 'SEEN', cell: ({ seen_at }) => ago(seen_at, now), align: 'right' },
];

function overviewText(state: OverviewView, o: TableOptions & { program: string }, now: number): string {
  const paint = o.paint ?? plain;
  const { jobs, redis } = state;
  const bases = state.in_flight_by_base.map((each) => `${count(each.count)} ${each.base ?? 'with a call in flight'}`);
  const memory =
    redis.max_bytes === null ? '' : ` of ${bytes(redis.max_bytes)} (${Math.round((100 * redis.used_bytes) / redis.max_bytes)} %)`;
  const unstored = jobs.oldest_unstored_age_s;
  return [
    facts(
      [
        [
          'live',
          `${plural(jobs.live, 'job')}: ${count(jobs.queued)} queued, ${count(jobs.in_flight)} in flight, ${count(jobs.storing)} storing`,
        ],
        ['in flight', bases.join(', ')],
        ['unstored', unstored === null ? null : `a paid result waits since ${duration(unstored * 1000)}`],
        ['failed', jobs.failed === 0 ? count(jobs.failed) : `${paint('red', count(jobs.failed))} (${o.program} failures)`],
        ['webhooks', `${count(jobs.pending_deliveries)} pending`],
        ['Redis', `${bytes(redis.used_bytes)}${memory}, ${redis.policy}`],
      ],
      paint,
    ),
    table(rateColumns, state.rates, o),
    table(queueColumns(now), state.queues, o),
    table(workerColumns(now), state.workers, o) || paint('yellow', 'No worker is alive.'),
  ].join('\n\n');
}
