import { ofTenants, TENANT } from '../api/of-tenants.ts';
import { defineCommand, option } from '../command.ts';
import { forEachId } from '../each.ts';
import { SHARED } from '../job-options.ts';
import { ago } from '../output/format.ts';
import { paintStatus } from '../output/paint.ts';
import type { Column } from '../output/table.ts';
import { instant, words } from '../values.ts';

/** A webhook delivery as the API answers it. */
interface Delivery {
  id: string;
  type: string;
  url: string;
  state: string;
  tries: number;
  attempts: { status?: number; phase?: string; error?: string }[];
  next_attempt_at: string | null;
  created_at: string;
  /** For operators. */
  tenant?: string;
}

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

const resendPath = (id: string): string => `/v1/webhook-deliveries/${encodeURIComponent(id)}/resend`;

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
    ['deliveries --job job_01KB…', 'what was told of a job'],
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
  run: async ({ api, out, host }, { job, state, type, url, tenant, limit }) => {
    const query = { job_id: job, state, type, url, tenant };
    const { ofAll, rows } = await ofTenants<Delivery>(api, 'webhook-deliveries', query, limit);
    await out.rows(rows, [...(ofAll ? [TENANT] : []), ...columns(host.now())], 'No deliveries.');
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
      const delivery =
        reason === undefined
          ? await context.api.post<Delivery>(resendPath(id))
          : await context.api.post<Delivery>(`/admin${resendPath(id)}`, { reason });
      await context.out.row(delivery, ({ state }, paint) => `${id} ${paintStatus(paint, state)}`);
    }),
});

export const recover = defineCommand<{ since: string }>({
  usage: 'recover <url>',
  about: 'Send all webhooks again that an endpoint has missed',
  examples: [['recover https://caller.example/hooks --since 6h', 'what failed in the last six hours']],
  options: [option('--since <time>', 'made after: 2h (ago), or 2026-05-01T12:00:00Z', instant(Date.now)).makeOptionMandatory()],
  run: async ({ api, out, hint }, { since }, [url]) => {
    const answer = await api.post<{ url: string; since: string }>('/v1/webhook-deliveries/recover', { url, since });
    hint(`What is still missing: pnpm jobs deliveries --state failed,skipped --url ${url}`);
    await out.value(answer, (order) => `What ${order.url} has missed since ${order.since} is sent again.`);
    return 'ok';
  },
});
