import { AUDIT_OUTCOMES, BULK_ACTIONS } from '@grsai-jobs/job-store';
import { FAILURE_CODES, PAUSE_REASONS, type PauseReason, STAGES, STATUSES } from '@grsai-jobs/jobs';
import { ENTRY_STATES, QUEUES } from '@grsai-jobs/queue';
import { z } from 'zod';
import { listOf } from '../../http/openapi/answers.ts';
import { Job } from '../jobs/schemas.ts';

const time = z.iso.datetime();
const code = z.enum(FAILURE_CODES as [string, ...string[]]);

/** A job of any tenant. */
export const AdminJob = Job.extend({ tenant: z.string() }).meta({ id: 'AdminJob' });

const Delivery = z.object({
  id: z.string(),
  job_id: z.string().nullable(),
  run: z.int(),
  type: z.string(),
  url: z.string(),
  state: z.enum(['pending', 'delivered', 'failed', 'skipped']),
  attempts_made: z.int(),
  created_at: time.nullable(),
  next_attempt_at: time.nullable(),
  attempts: z.array(z.looseObject({})),
});

/** The same with all that is known of it. */
export const AdminJobDetail = AdminJob.extend({
  step: z.int(),
  crashes: z.int(),
  attempts_used: z.int(),
  due_at: time.nullable().describe('when it is looked after, if nothing has happened until then'),
  in_flight_call: z.object({ since: time, until: time }).nullable(),
  unstored: z.object({ expires_at: time }).nullable().describe('paid for and not stored yet'),
  past_runs: z.array(
    z.object({ run: z.int(), status: z.enum(STATUSES), error: z.looseObject({}).nullable(), finished_at: time.nullable() }),
  ),
  deliveries: z.array(Delivery),
  timeline: z.array(
    z.object({
      at: time,
      event: z.enum(['accepted', 'started', 'attempt', 'task', 'run_ended', 'delivery_pending', 'webhook_attempt']),
      run: z.int(),
      detail: z.looseObject({}),
    }),
  ),
}).meta({ id: 'AdminJobDetail' });

const FailureGroup = z
  .object({
    id: z.string().meta({ example: 'sig_5f0c2b7d9a1e3344' }),
    object: z.literal('failure_group'),
    stage: z.enum(['queued', ...STAGES]),
    code,
    upstream_status: z.int().nullable(),
    text: z.string().describe('what upstream said, without numbers, ids, links and quoted parts'),
    count: z.int(),
    first: time,
    last: time,
    samples: z.array(z.string()).max(5).describe('the newest jobs of the group'),
    retryable: z.boolean(),
    message: z.string().describe('what the newest of them says, in full'),
  })
  .meta({ id: 'FailureGroup' });

export const FailureList = listOf(FailureGroup).extend({
  next_cursor: z
    .string()
    .nullable()
    .describe('not null when older failures are not counted here; groups of two pages with one id belong together'),
  groups: z.int().describe('how many groups there are; the largest `limit` are in `data`'),
  jobs: z.int().describe('how many failed and expired jobs they hold'),
});

export const AuditLine = z
  .object({
    id: z.string(),
    object: z.literal('audit_line'),
    at: time,
    key: z.object({ id: z.string(), name: z.string() }),
    action: z.string().meta({ example: 'queue.change' }),
    target: z.string(),
    reason: z.string(),
    outcome: z.enum(AUDIT_OUTCOMES).describe('begun: the outcome was never written, so it may have happened or not'),
    detail: z.string().nullable(),
  })
  .meta({ id: 'AuditLine' });

const Pause = z.object({
  reason: z.enum(Object.keys(PAUSE_REASONS) as [PauseReason, ...PauseReason[]]),
  since: time,
  detail: z.string(),
  state: z.enum(['paused', 'half']).describe('half: one job at a time is let through, to see'),
  until: time.optional().describe('of `upstream_rate_limit`: when it is over by itself'),
  model: z.string().nullable().optional().describe('of `upstream_refusal`: whose jobs wait, null: those of all models'),
  tenant: z.string().nullable().optional().describe('of `upstream_refusal`: whose jobs wait, null: those of all tenants'),
});

const Load = z.object({ concurrency: z.int(), configured: z.int(), open: z.int() });

const Depth = {
  name: z.enum(QUEUES),
  paused: z.boolean(),
  pauses: z.array(Pause),
  waiting: z.int(),
  in_rooms: z.int().describe('how many of those that wait stand in the rooms of their tenants, without an entry of the queue'),
  active: z.int(),
  delayed: z.int().describe('wait for a time of their own'),
  oldest_age_s: z.number().nullable().describe('of those that are next in line'),
  late_s: z.number().describe('how long the first delayed entry is overdue'),
};

export const Queue = z
  .object({
    ...Depth,
    object: z.literal('queue'),
    concurrency: z.object({
      set: z.int().nullable().describe('by an operator, for each worker process; null: as configured'),
      workers: z.array(Load.extend({ worker: z.string() })),
    }),
  })
  .meta({ id: 'Queue' });

export const QueueEntry = z
  .object({
    id: z.string().describe('`<id of the job or delivery>.<step>`'),
    object: z.literal('queue_entry'),
    name: z.string().describe('of an entry in `maintain`: its periodic task; else the queue'),
    state: z.enum(ENTRY_STATES),
    attempts: z.int().describe('how often a worker has taken it'),
    added_at: time,
    due_at: time.nullable().describe('of a delayed entry'),
    data: z
      .object({
        job_id: z.string(),
        delivery_id: z.string(),
        batch_id: z.string(),
        endpoint: z.string(),
        step: z.number(),
      })
      .partial()
      .describe('all that it holds: the record says the rest'),
    failure: z.string().nullable().describe('why it failed'),
  })
  .meta({ id: 'QueueEntry' });

export const Overview = z
  .object({
    object: z.literal('overview'),
    at: time,
    jobs: z.object({
      live: z.int(),
      queued: z.int(),
      in_flight: z.int().describe('an in-flight call or a living task'),
      storing: z.int(),
      failed: z.int(),
      pending_deliveries: z.int(),
      oldest_unstored_age_s: z.number().nullable(),
    }),
    rates: z.array(
      z.object({
        minutes: z.int(),
        accepted_per_min: z.number(),
        ended_per_min: z.number(),
        failed_per_min: z.number(),
      }),
    ),
    in_flight_by_base: z.array(
      z.object({ base: z.string().nullable().describe('null: the call is still open'), count: z.int() }),
    ),
    queues: z.array(z.object(Depth)),
    pauses: z.array(Pause.extend({ queue: z.enum(QUEUES) })),
    redis: z.object({ used_bytes: z.int(), max_bytes: z.int().nullable(), policy: z.string() }),
    workers: z.array(
      z.object({
        id: z.string(),
        host: z.string(),
        pid: z.int(),
        version: z.string(),
        started_at: time,
        seen_at: time,
        queues: z.record(z.string(), Load),
      }),
    ),
    counters: z.record(z.string(), z.number()),
  })
  .meta({ id: 'Overview' });

const counts = z.record(z.string(), z.int());

/** What is done to many jobs, and how far it is. */
export const BulkAction = z
  .object({
    id: z.string().meta({ example: 'bulk_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' }),
    object: z.literal('bulk_action'),
    action: z.enum(BULK_ACTIONS),
    status: z.enum(['running', 'aborted', 'completed']),
    counting: z.boolean().describe('true: it still counts what it means, so `matched` grows'),
    dry_run: z.literal(false),
    counts: z.object({ matched: z.int(), done: z.int(), skipped: z.int(), failed: z.int() }),
    skipped: counts.describe('left alone, by why'),
    failed: counts.describe('by why'),
    rate_per_min: z.int(),
    observed_rate_per_min: z.number().describe('since it was started or resumed'),
    eta_s: z.int().nullable().describe('at its rate; null while it counts or does not run'),
    include_unknown: z.boolean(),
    reason: z.string(),
    key: z.object({ id: z.string(), name: z.string() }),
    created_at: time.nullable(),
    finished_at: time.nullable(),
  })
  .meta({ id: 'BulkAction' });

/** What it would do. */
export const BulkPreview = z
  .object({
    object: z.literal('bulk_action'),
    action: z.enum(BULK_ACTIONS),
    status: z.literal('dry_run'),
    dry_run: z.literal(true),
    counts,
    would: counts.describe('resume, resubmit, cancel or redeliver'),
    skipped: counts.describe('left alone, by why: submit_unknown without include_unknown, for one'),
    signatures: z.array(z.object({ id: z.string(), code, stage: z.string(), text: z.string(), count: z.int() })),
    complete: z.boolean().describe('false: there are more jobs than were looked at'),
  })
  .meta({ id: 'BulkPreview' });
