import type { Job } from './jobs.ts';

/** What the admin API answers (design §7). */

export type AdminJob = Job & { tenant: string };

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

export interface Queue {
  name: string;
  paused: boolean;
  pauses: { reason: string; state: string; detail?: string | null; since: string }[];
  waiting: number;
  active: number;
  delayed: number;
  oldest_age_s: number | null;
  late_s: number;
}

export interface QueueWithWorkers extends Queue {
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
  queues: Queue[];
  redis: { used_bytes: number; max_bytes: number; policy: string };
  workers: { id: string; host: string; pid: number; version: string; started_at: string; seen_at: string }[];
}

export interface ApiKey {
  id: string;
  tenant: string;
  name: string;
  scopes: string[];
  created_at: string;
  expires_at: string | null;
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
