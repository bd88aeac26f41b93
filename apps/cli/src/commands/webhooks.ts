import type { DeliveryFilter, WebhookDelivery } from '@grsai-jobs/client';
import { defineCommand, option } from '../command.ts';
import { forEachId } from '../each.ts';
import { first, PAGE } from '../first.ts';
import { SHARED } from '../job-options.ts';
import { ofTenants, TENANT } from '../of-tenants.ts';
import { ago } from '../output/format.ts';
import { paintStatus } from '../output/paint.ts';
import type { Column } from '../output/table.ts';
import { instant, words } from '../values.ts';

/** For operators with the name of its tenant. */
type Delivery = WebhookDelivery & { tenant?: string };

const columns = (now: number): Column<Delivery>[] => [
  { head: 'DELIVERY', cell: ({ id }) => id },
  { head: 'STATE', cell: ({ state }) => state, style: (paint, text, { state }) => paintStatus(paint, state, text) },
  { head: 'ATTEMPTS', cell: ({ tries }) => tries, align: 'right' },
  { head: 'LAST ANSWER', cell: lastAnswer, shrinks: true },
  { head: 'CREATED', cell: ({ created_at }) => ago(created_at, now), align: 'right' },
  { head: 'NEXT ATTEMPT', cell: ({ next_attempt_at }) => next_attempt_at },
  { head: 'URL', cell: ({ url }) => url, shrinks: true },
];

function lastAnswer({ attempts }: Delivery): string | null {
  const last = attempts.at(-1);
  if (last === undefined) return null;
  return last.status === undefined ? [last.phase, last.error].filter(Boolean).join(': ') : String(last.status);
}

const OPERATORS = 'For operators:';

export const deliveries = defineCommand<{
  job?: string;
  state?: string[];
  type?: string[];
  url?: string;
  tenant?: string;
  limit: number;
}>({
  usage: 'deliveries',
  about: 'List webhook deliveries, the newest first',
  examples: [
    ['deliveries --job job_01KB…', 'what was reported of a job'],
    ['deliveries --state failed,pending --limit 100', 'what did not arrive (yet)'],
    ['deliveries --tenant acme', 'of a tenant; the key of an operator lists those of all'],
  ],
  options: [
    option('--job <id>', 'of this job'),
    option('--state <list>', 'pending, delivered, failed, skipped', words),
    option('--type <list>', 'such as job.succeeded,batch.completed', words),
    option('--url <url>', 'to the endpoint of this URL'),
    SHARED.limit(),
    SHARED.tenant().helpGroup(OPERATORS),
  ],
  run: async ({ client, out, host }, { job, state, type, url, tenant, limit }) => {
    const chosen = { state: state as DeliveryFilter['state'], type: type as DeliveryFilter['type'] };
    const filter = { job_id: job, ...chosen, url, limit: Math.min(limit, PAGE) };
    const own = () => client.webhooks.deliveries(filter);
    const { ofAll, rows } = await ofTenants<Delivery>(client, '/admin/v1/webhook-deliveries', { ...filter, tenant }, own);
    await out.rows(first(limit, rows), [...(ofAll ? [TENANT] : []), ...columns(host.now())], 'No deliveries.');
    return 'ok';
  },
});

export const resend = defineCommand<{ reason?: string }>({
  usage: 'resend <delivery...>',
  about: 'Send webhooks once more, under the id that they had',
  examples: [
    ['resend evt_01KB…_1_job_succeeded', 'one more try'],
    ['resend evt_01KB…_1_job_failed --reason "their receiver is well again"', 'of any tenant, for operators'],
  ],
  options: [option('--reason <text>', 'of any tenant; it stands in the audit log').helpGroup(OPERATORS)],
  run: async (context, { reason }, ids) =>
    await forEachId(context, ids, async (id) => {
      const ofAny = `/admin/v1/webhook-deliveries/${encodeURIComponent(id)}/resend`;
      const delivery =
        reason === undefined
          ? await context.client.webhooks.resend(id)
          : await context.client.request<Delivery>('POST', ofAny, { json: { reason } });
      await context.out.row(delivery, ({ state }, paint) => `${id} ${paintStatus(paint, state)}`);
    }),
});

export const recover = defineCommand<{ since: string }>({
  usage: 'recover <url>',
  about: 'Send all webhooks again that an endpoint has missed',
  examples: [['recover https://caller.example/hooks --since 6h', 'what failed in the last six hours']],
  options: [option('--since <time>', 'made after: 2h (ago), or 2026-05-01T12:00:00Z', instant(Date.now)).makeOptionMandatory()],
  run: async ({ client, host, out, hint }, { since }, [url = '']) => {
    const answer = await client.webhooks.recover({ url, since });
    hint(`What is still missing: ${host.program} deliveries --state failed,skipped --url ${url}`);
    await out.value(answer, (order) => `What ${order.url} has missed since ${order.since} is sent again.`);
    return 'ok';
  },
});
