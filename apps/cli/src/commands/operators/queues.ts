import type { PauseView, QueueStandingView, QueueView } from '@grsai-jobs/jobs';
import { defineCommand, defineGroup, option } from '../../command.ts';
import type { Context } from '../../context.ts';
import { usage } from '../../exit.ts';
import { SHARED } from '../../job-options.ts';
import { ago, count, duration } from '../../output/format.ts';
import type { Column } from '../../output/table.ts';
import { positive } from '../../values.ts';

/** Why a queue stands still; more than one reason can. */
const pausesText = ({ pauses }: QueueStandingView, now: number): string =>
  pauses
    .map((pause) =>
      [pause.reason, whose(pause), ago(pause.since, now), left(pause, now), pause.detail].filter(Boolean).join(', '),
    )
    .join('; ');

/** Whose jobs wait, where those of others go on. */
const whose = ({ model, tenant }: PauseView): string => [model ?? '', tenant ? `of ${tenant}` : ''].filter(Boolean).join(' ');

/** How long it still lasts, where that is known. */
const left = ({ until }: PauseView, now: number): string =>
  until === undefined ? '' : `${duration(Math.max(0, Date.parse(until) - now))} left`;

/** The columns of a list of queues. */
export const queueColumns = (now: number): Column<QueueStandingView>[] => [
  { head: 'QUEUE', cell: ({ name }) => name },
  {
    head: 'STATE',
    cell: ({ paused }) => (paused ? 'paused' : 'open'),
    style: (paint, text, { paused }) => paint(paused ? 'yellow' : 'green', text),
  },
  { head: 'WAITING', cell: ({ waiting }) => count(waiting), align: 'right' },
  { head: 'ACTIVE', cell: ({ active }) => count(active), align: 'right', yields: 2 },
  { head: 'DELAYED', cell: ({ delayed }) => count(delayed), align: 'right', yields: 1 },
  { head: 'OLDEST', cell: ({ oldest_age_s }) => (oldest_age_s === null ? null : duration(oldest_age_s * 1000)), align: 'right' },
  { head: 'LATE', cell: ({ late_s }) => (late_s === 0 ? null : duration(late_s * 1000)), align: 'right', yields: 3 },
  { head: 'WHY', cell: (queue) => pausesText(queue, now), shrinks: true },
];

/** How many entries workers take at once: all of them together, and what an operator has set for each. */
const concurrencyColumn: Column<QueueView> = {
  head: 'AT ONCE',
  cell: ({ concurrency: { set, workers } }) => {
    const all = workers.reduce((sum, worker) => sum + worker.concurrency, 0);
    return workers.length === 0 ? null : `${count(all)}${set === null ? '' : ` (${set} each)`}`;
  },
  align: 'right',
};

async function change({ client, out, host }: Context, name: string, json: object): Promise<'ok'> {
  const queue = await client.request<QueueView>('PATCH', `/admin/v1/queues/${encodeURIComponent(name)}`, { json });
  await out.rows([queue], [...queueColumns(host.now()), concurrencyColumn], '');
  return 'ok';
}

const list = defineCommand<object>({
  usage: 'list',
  about: 'List queues: depth, age, pauses, concurrency',
  isDefault: true,
  examples: [['queues', 'all of them']],
  run: async ({ client, out, host }) => {
    const { data } = await client.request<{ data: QueueView[] }>('GET', '/admin/v1/queues');
    await out.rows(data, [...queueColumns(host.now()), concurrencyColumn], 'No queues.');
    return 'ok';
  },
});

const pause = defineCommand<{ reason: string }>({
  usage: 'pause <queue>',
  about: 'Stop a queue on all workers; what is open goes on',
  details: 'While poll or store stands still, results that are paid for wait; they are lost two hours after their submit.',
  examples: [['queues pause submit --reason "the account moves"', 'polls and stores of what is paid for go on']],
  options: [SHARED.reason()],
  run: async (context, { reason }, [name = '']) => await change(context, name, { paused: true, reason }),
});

const resume = defineCommand<{ reason: string }>({
  usage: 'resume <queue>',
  about: 'Take the pause of an operator back; pauses for other reasons stay',
  examples: [['queues resume submit --reason "the account has moved"', 'all workers go on at once']],
  options: [SHARED.reason()],
  run: async (context, { reason }, [name = '']) => await change(context, name, { paused: false, reason }),
});

const set = defineCommand<{ concurrency?: number; asConfigured?: boolean; reason: string }>({
  usage: 'set <queue>',
  about: 'Set how many entries each worker takes at once, without a deploy',
  examples: [
    ['queues set call --concurrency 10 --reason "upstream is slow"', 'on all workers'],
    ['queues set call --as-configured --reason "upstream is well"', 'back to what each worker is configured for'],
  ],
  options: [
    option('--concurrency <n>', 'entries at once in each worker', positive),
    option('--as-configured', 'what each worker is configured for'),
    SHARED.reason(),
  ],
  run: async (context, { concurrency, asConfigured, reason }, [name = '']) => {
    if ((concurrency === undefined) === (asConfigured === undefined))
      throw usage('Give either --concurrency <n> or --as-configured');
    return await change(context, name, { concurrency: concurrency ?? null, reason });
  },
});

const open = defineCommand<{ model?: string; reason: string }>({
  usage: 'open <queue>',
  about: 'Let jobs go on that wait since upstream refused others like them (upstream_refusal)',
  details: 'One of them goes ahead each minute by itself. Refusals are counted anew: after eight more it closes again.',
  examples: [
    ['queues open submit --reason "upstream says that it is well"', 'jobs of all models'],
    ['queues open submit --model gpt-image-2 --reason "a new channel"', 'jobs of one model'],
  ],
  options: [option('--model <name>', 'only this model'), SHARED.reason()],
  run: async (context, { model, reason }, [name = '']) => await change(context, name, { open_refusals: model ?? '*', reason }),
});

export const queues = defineGroup('queues', 'Queues: look, pause, resume, open, set', [list, pause, resume, open, set]);
