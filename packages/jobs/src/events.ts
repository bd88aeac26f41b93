import type { TerminalStatus } from './states.ts';

/** Webhook event types of a job (design §5). */
export const JOB_EVENTS = ['job.succeeded', 'job.failed', 'job.canceled', 'job.expired', 'job.started', 'job.progress'] as const;
export type JobEvent = (typeof JOB_EVENTS)[number];

/** Sent when a webhook names no events of its own. */
export const DEFAULT_EVENTS = [
  'job.succeeded',
  'job.failed',
  'job.canceled',
  'job.expired',
] as const satisfies readonly JobEvent[];

/** Webhook event types of a batch (design §5). All are sent when a webhook names no events of its own. */
export const BATCH_EVENTS = ['batch.completed', 'batch.canceled', 'batch.expired'] as const;
export type BatchEvent = (typeof BATCH_EVENTS)[number];

export const endEvent = (status: TerminalStatus): JobEvent => `job.${status}`;
