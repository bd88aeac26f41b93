import type { z } from 'zod';
import { failedJob, queuedJob } from '../jobs/examples.ts';
import type {
  AdminJob,
  AdminJobDetail,
  AuditLine,
  BulkAction,
  BulkPreview,
  FailureList,
  Overview,
  Queue,
  QueueEntry,
} from './schemas.ts';

/** Answers to operators as they look, for people and for the test that holds them against the schemas. */

const adminLinks = (id: string) => ({ self: `/admin/v1/jobs/${id}`, requeue: `/admin/v1/jobs/${id}/requeue` });

export const failedAdminJob: z.output<typeof AdminJob> = {
  ...failedJob,
  tenant: 'acme',
  links: { ...failedJob.links, ...adminLinks(failedJob.id) },
};

export const requeuedJob: z.output<typeof AdminJob> = {
  ...queuedJob,
  run: 2,
  tenant: 'acme',
  links: { ...queuedJob.links, ...adminLinks(queuedJob.id) },
};

const evt = `evt_${failedJob.id.slice(4)}_1_job_failed`;

export const jobDetail: z.output<typeof AdminJobDetail> = {
  ...failedAdminJob,
  step: 3,
  crashes: 0,
  attempts_used: 1,
  due_at: null,
  in_flight_call: null,
  unstored: null,
  past_runs: [],
  deliveries: [
    {
      id: evt,
      job_id: failedJob.id,
      run: 1,
      type: 'job.failed',
      url: 'https://caller.example/hooks',
      state: 'delivered',
      attempts_made: 1,
      created_at: '2026-11-23T08:00:31.540Z',
      next_attempt_at: null,
      attempts: [{ number: 1, duration_ms: 41, ok: true, phase: 'response', status: 204, at: '2026-11-23T08:00:31.560Z' }],
    },
  ],
  timeline: [
    { at: '2026-11-23T08:00:00.000Z', event: 'accepted', run: 1, detail: {} },
    { at: '2026-11-23T08:00:31.540Z', event: 'run_ended', run: 1, detail: { status: 'failed', error_code: 'content_rejected' } },
    { at: '2026-11-23T08:00:31.560Z', event: 'webhook_attempt', run: 1, detail: { delivery_id: evt, number: 1, ok: true } },
  ],
};

export const failures: z.output<typeof FailureList> = {
  object: 'list',
  data: [
    {
      id: 'sig_5f0c2b7d9a1e3344',
      object: 'failure_group',
      stage: 'generating',
      code: 'upstream_failed',
      upstream_status: 200,
      text: 'node <n> is overloaded',
      count: 1204,
      first: '2026-11-23T07:12:00.000Z',
      last: '2026-11-23T08:00:31.540Z',
      samples: [failedJob.id],
      retryable: true,
      message: 'node 17 is overloaded',
    },
  ],
  next_cursor: null,
  groups: 1,
  jobs: 1204,
};

export const auditLine: z.output<typeof AuditLine> = {
  id: '1795420800000-0',
  object: 'audit_line',
  at: '2026-11-23T08:00:00.000Z',
  key: { id: 'key_admin', name: 'ADMIN_API_KEY' },
  action: 'queue.change',
  target: 'submit',
  reason: 'the account moves to another key',
  outcome: 'done',
  detail: 'paused',
};

const pause = {
  reason: 'operator',
  since: '2026-11-23T08:00:00.000Z',
  detail: 'ADMIN_API_KEY: the account moves to another key',
  state: 'paused',
} as const;

const depth = {
  name: 'submit',
  paused: true,
  pauses: [pause],
  waiting: 310,
  in_rooms: 210,
  active: 2,
  delayed: 4,
  oldest_age_s: 17.2,
  late_s: 0,
} as const;

const load = { concurrency: 20, configured: 20, open: 2 };
const worker = 'worker_0b7c2a4e-5d6f-4a81-9c3e-7f1d2b3a4c5d';

export const queueExample: z.output<typeof Queue> = {
  ...depth,
  pauses: [pause],
  object: 'queue',
  concurrency: { set: null, workers: [{ worker, ...load }] },
};

export const queueEntry: z.output<typeof QueueEntry> = {
  id: `${failedJob.id}.2`,
  object: 'queue_entry',
  name: 'poll',
  state: 'delayed',
  attempts: 3,
  added_at: '2026-11-23T08:00:02.000Z',
  due_at: '2026-11-23T08:00:31.000Z',
  data: { job_id: failedJob.id, step: 2 },
  failure: null,
};

export const overview: z.output<typeof Overview> = {
  object: 'overview',
  at: '2026-11-23T08:00:00.000Z',
  jobs: { live: 1520, queued: 310, in_flight: 198, storing: 6, failed: 1204, pending_deliveries: 12, oldest_unstored_age_s: 3 },
  rates: [{ minutes: 1, accepted_per_min: 60, ended_per_min: 58, failed_per_min: 2 }],
  in_flight_by_base: [{ base: 'https://grsaiapi.com', count: 198 }],
  queues: [{ ...depth, pauses: [pause] }],
  pauses: [{ queue: 'submit', ...pause }],
  redis: { used_bytes: 41_000_000, max_bytes: 1_073_741_824, policy: 'noeviction' },
  workers: [
    {
      id: worker,
      host: 'worker-1',
      pid: 17,
      version: '0.1.0',
      started_at: '2026-11-23T07:00:00.000Z',
      seen_at: '2026-11-23T07:59:58.000Z',
      queues: { submit: load },
    },
  ],
  counters: { repairs: 0 },
};

export const bulkAction: z.output<typeof BulkAction> = {
  id: 'bulk_01K9ZV5W3N8Q2R4T6V8X0Z2B4D',
  object: 'bulk_action',
  action: 'requeue',
  status: 'running',
  counting: false,
  dry_run: false,
  counts: { matched: 1204, done: 310, skipped: 4, failed: 0 },
  skipped: { submit_unknown: 4 },
  failed: {},
  rate_per_min: 600,
  observed_rate_per_min: 598.7,
  eta_s: 89,
  include_unknown: false,
  reason: 'upstream is well again',
  key: { id: 'key_admin', name: 'ADMIN_API_KEY' },
  created_at: '2026-11-23T08:00:00.000Z',
  finished_at: null,
};

export const abortedBulk = { ...bulkAction, status: 'aborted' as const, eta_s: null, finished_at: '2026-11-23T08:00:31.000Z' };

export const bulkPreview: z.output<typeof BulkPreview> = {
  object: 'bulk_action',
  action: 'requeue',
  status: 'dry_run',
  dry_run: true,
  counts: { matched: 1204, skipped: 4, resume: 1100, resubmit: 100 },
  would: { resume: 1100, resubmit: 100 },
  skipped: { submit_unknown: 4 },
  signatures: [
    { id: 'sig_5f0c2b7d9a1e3344', code: 'upstream_failed', stage: 'generating', text: 'node <n> is overloaded', count: 1200 },
  ],
  complete: true,
};

export const keyExample = {
  id: 'key_4f1d2b3a9c8e7f60a1b2c3d4',
  object: 'api_key',
  tenant: 'acme',
  name: 'back end',
  scopes: ['jobs:read', 'jobs:write'],
  created_at: '2026-11-23T08:00:00.000Z',
  last_used_at: '2026-11-23T09:30:00.000Z',
  expires_at: null,
};

export const page = (...data: readonly unknown[]) => ({ object: 'list', data, next_cursor: null });
