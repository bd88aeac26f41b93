/** What the admin API answers, as far as the page reads it. `openapi.json` is the whole of it. */

export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export interface Pause {
  reason: string;
  since: string;
  detail: string;
  state: 'paused' | 'half';
}

export interface Queue {
  name: string;
  paused: boolean;
  pauses: Pause[];
  waiting: number;
  active: number;
  delayed: number;
  oldest_age_s: number | null;
  late_s: number;
  concurrency: { set: number | null; workers: { worker: string; concurrency: number; configured: number; open: number }[] };
}

export interface Overview {
  at: string;
  jobs: {
    live: number;
    queued: number;
    in_flight: number;
    storing: number;
    failed: number;
    owed_webhooks: number;
    oldest_unstored_age_s: number | null;
  };
  rates: { minutes: number; accepted_per_min: number; ended_per_min: number; failed_per_min: number }[];
  in_flight_by_base: { base: string | null; count: number }[];
  redis: { used_bytes: number; max_bytes: number | null; policy: string };
  workers: {
    id: string;
    host: string;
    pid: number;
    version: string;
    started_at: string;
    seen_at: string;
    queues: Record<string, { concurrency: number; configured: number; open: number }>;
  }[];
}

export interface FailureGroup {
  id: string;
  stage: string;
  code: string;
  upstream_status: number | null;
  text: string;
  count: number;
  first: string;
  last: string;
  samples: string[];
  retryable: boolean;
  message: string;
}

export interface FailureList extends Page<FailureGroup> {
  groups: number;
  jobs: number;
}

interface JobError {
  code: string;
  message: string;
  retryable: boolean;
  stage: string;
  upstream?: { status?: number; code?: string; message?: string; task_id?: string };
}

export interface Try {
  number: number;
  at: string;
  duration_ms: number;
  ok: boolean;
  phase: string;
  status?: number;
  error?: string;
  answer?: string;
}

export interface Delivery {
  id: string;
  run: number;
  type: string;
  url: string;
  state: string;
  tries: number;
  next_attempt_at: string | null;
  attempts: Try[];
}

export interface Happening {
  at: string;
  event: string;
  run: number;
  detail: Record<string, unknown>;
}

export interface Image {
  index: number;
  url: string;
  content_type: string;
  bytes: number;
  width: number | null;
  height: number | null;
  key: string;
}

export interface Job {
  id: string;
  type: string;
  status: string;
  stage: string | null;
  run: number;
  model: string;
  tenant: string;
  input: Record<string, unknown>;
  metadata: Record<string, string>;
  priority: string;
  on_unknown_submit: string;
  max_attempts: number;
  progress: number;
  result: { images?: Image[] } | null;
  error: JobError | null;
  upstream: { base: string | null; task_id: string; polls: number } | null;
  webhook: { state: string };
  batch_id: string | null;
  custom_id: string | null;
  late_result: boolean;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  expires_at: string;
}

export interface JobDetail extends Job {
  attempts_spent: number;
  crashes: number;
  due_at: string | null;
  open_call: { since: string; until: string } | null;
  unstored: { expires_at: string } | null;
  past_runs: { run: number; status: string; error: JobError | null; finished_at: string | null }[];
  deliveries: Delivery[];
  timeline: Happening[];
}

export interface AuditLine {
  id: string;
  at: string;
  key: { id: string; name: string };
  action: string;
  target: string;
  reason: string;
  outcome: string;
  detail: string | null;
}

export interface Key {
  id: string;
  tenant: string;
  name: string;
  scopes: string[];
  created_at: string;
  expires_at: string | null;
}

interface BulkCounts {
  action: string;
  /** By why they are left alone. */
  skipped: Record<string, number>;
}

/** What a bulk action would do. */
export interface DryRun extends BulkCounts {
  counts: { matched: number; skipped: number };
  would: Record<string, number>;
  /** `false`: there are more jobs than were looked at. */
  complete: boolean;
}

export interface BulkAction extends BulkCounts {
  id: string;
  status: 'running' | 'aborted' | 'completed';
  counting: boolean;
  counts: { matched: number; done: number; skipped: number; failed: number };
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
