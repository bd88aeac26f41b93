import type { TerminalStatus } from './job/states.ts';

/** Webhook event types of a job. */
export const JOB_EVENTS = ['job.succeeded', 'job.failed', 'job.canceled', 'job.expired', 'job.started', 'job.progress'] as const;
export type JobEvent = (typeof JOB_EVENTS)[number];

/** Sent when a webhook names no events of its own. */
export const DEFAULT_EVENTS = [
  'job.succeeded',
  'job.failed',
  'job.canceled',
  'job.expired',
] as const satisfies readonly JobEvent[];

/** Webhook event types of a batch. All are sent when a webhook names no events of its own. */
export const BATCH_EVENTS = ['batch.completed', 'batch.canceled', 'batch.expired'] as const;
export type BatchEvent = (typeof BATCH_EVENTS)[number];
/** Progress webhooks of a live job: one attempt each, whatever comes of it. */
const SENT_ONCE: readonly string[] = ['job.started', 'job.progress'] satisfies readonly JobEvent[];

export const isSentOnce = (type: string): boolean => SENT_ONCE.includes(type);

/** Of one job, progress is reported at most this often. */
export const PROGRESS_EVENT_EVERY_MS = 5_000;

export const endEvent = (status: TerminalStatus): JobEvent => `job.${status}`;
