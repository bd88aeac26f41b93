import type { JobError } from './job/job.ts';
import type { Budget, TenantLimits } from './tenant-limits.ts';

/** What the admin API answers, beside jobs: the service makes these, the command line and the page read them. */

export interface FailureGroupView {
  object: 'failure_group';
  /** The signature, a filter of jobs and of bulk actions. */
  id: string;
  stage: string;
  code: JobError['code'];
  upstream_status: number | null;
  text: string;
  count: number;
  first: string;
  last: string;
  samples: string[];
  retryable: boolean;
  message: string;
}

export interface FailureListView {
  object: 'list';
  data: FailureGroupView[];
  next_cursor: string | null;
  /** Groups and jobs in all, on this page or not. */
  groups: number;
  jobs: number;
}

export interface PauseView {
  reason: string;
  state: 'paused' | 'half';
  detail: string;
  since: string;
  /** When it is over by itself. */
  until?: string;
  /** Of `upstream_refusal`, whose jobs wait: `null` is all. */
  model?: string | null;
  tenant?: string | null;
}

/** What a queue holds, and why it stands still. */
export interface QueueStandingView {
  name: string;
  paused: boolean;
  pauses: PauseView[];
  /** Could be taken now, or once it is let in. */
  waiting: number;
  /** How many of these wait in the rooms of their tenants, without an entry. */
  in_rooms: number;
  active: number;
  delayed: number;
  oldest_age_s: number | null;
  /** How long the next entry has been due. */
  late_s: number;
}

/** One entry of a queue. It holds ids, and nothing that a caller sent. */
export interface QueueEntryView {
  object: 'queue_entry';
  id: string;
  /** The periodic task of an entry in `maintain`; elsewhere the name of the queue. */
  name: string;
  state: 'waiting' | 'active' | 'delayed' | 'failed';
  /** How often a worker has taken it. */
  attempts: number;
  added_at: string;
  /** When a delayed entry is due. */
  due_at: string | null;
  data: { job_id?: string; delivery_id?: string; batch_id?: string; endpoint?: string; step?: number };
  failure: string | null;
}

/** A queue with how much of it workers take at once. */
export interface QueueView extends QueueStandingView {
  object: 'queue';
  concurrency: {
    /** By an operator; `null`: as each worker is configured. */
    set: number | null;
    workers: ({ worker: string } & SlotsView)[];
  };
}

/** How many entries of a queue a worker takes at once, by configuration, and how many it holds. */
interface SlotsView {
  concurrency: number;
  configured: number;
  open: number;
}

export interface WorkerView {
  id: string;
  host: string;
  pid: number;
  version: string;
  started_at: string;
  seen_at: string;
  queues: Record<string, SlotsView>;
}

export interface OverviewView {
  object: 'overview';
  at: string;
  jobs: {
    live: number;
    queued: number;
    in_flight: number;
    storing: number;
    failed: number;
    pending_deliveries: number;
    oldest_unstored_age_s: number | null;
  };
  rates: { minutes: number; accepted_per_min: number; ended_per_min: number; failed_per_min: number }[];
  in_flight_by_base: { base: string | null; count: number }[];
  queues: QueueStandingView[];
  pauses: ({ queue: string } & PauseView)[];
  /** `max_bytes` is `null` where Redis has no limit. */
  redis: { used_bytes: number; max_bytes: number | null; policy: string };
  workers: WorkerView[];
  /** Repairs, crashes and the like, since the records began. */
  counters: Record<string, number>;
}

/** An API key without its text, which is shown once. */
export interface ApiKeyView {
  object: 'api_key';
  id: string;
  tenant: string;
  name: string;
  scopes: string[];
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
}

export interface AuditLineView {
  object: 'audit_line';
  id: string;
  at: string;
  key: { id: string; name: string };
  action: string;
  target: string;
  reason: string;
  outcome: string;
  detail: string | null;
}

/** How far a bulk action has come. */
export interface BulkActionView {
  object: 'bulk_action';
  id: string;
  action: string;
  status: 'running' | 'aborted' | 'completed';
  /** The jobs are counted first, then acted on. */
  counting: boolean;
  dry_run: false;
  counts: { matched: number; done: number; skipped: number; failed: number };
  /** Left alone, by why. */
  skipped: Record<string, number>;
  failed: Record<string, number>;
  rate_per_min: number;
  observed_rate_per_min: number;
  eta_s: number | null;
  include_unknown: boolean;
  reason: string;
  key: { id: string; name: string };
  created_at: string;
  finished_at: string | null;
}

/** What a bulk action would do. */
export interface BulkDryRunView {
  object: 'bulk_action';
  action: string;
  status: 'dry_run';
  dry_run: true;
  /** By what would be done as well. */
  counts: { matched: number; skipped: number } & Record<string, number>;
  would: Record<string, number>;
  skipped: Record<string, number>;
  /** What the jobs failed of. */
  signatures: { id: string; code: string; stage: string; text: string; count: number }[];
  /** `false`: there are more jobs than were looked at. */
  complete: boolean;
}

export interface TenantView {
  object: 'tenant';
  tenant: string;
  /** What is set for this tenant; what is left out is as the service is configured. */
  limits: TenantLimits;
  /** What holds; `null`: no limit. */
  effective: {
    requests_per_minute: number | null;
    models: readonly string[] | null;
    max_in_flight: number | null;
    max_queued: number | null;
    max_live_jobs: number | null;
    budget: Budget | null;
    max_redis_bytes: number | null;
    max_stored_bytes: number | null;
  };
  used: { queued_jobs: number; live_jobs: number; redis_bytes: number; stored_bytes: number; budget_credits: number | null };
}
