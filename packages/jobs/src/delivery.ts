import type { Stage, Status } from './job/states.ts';

/** Times are milliseconds since 1970. */
type Ms = number;

/** A webhook that has to be delivered, or was. */
export interface Delivery {
  id: string;
  tenant: string;
  /** What it is about: a job, or a batch. */
  job_id: string | null;
  batch_id: string | null;
  /** Of a job its run, of a batch its round. */
  run: number;
  type: string;
  url: string;
  /** `skipped`: its endpoint was disabled, or a progress webhook found the receiver in trouble. No attempt was made. */
  state: 'pending' | 'delivered' | 'failed' | 'skipped';
  step: number;
  /** The job's `seq` when it happened, by which a receiver puts events in order; `null` when that was not kept. */
  sequence: number | null;
  /** The job as it was then, of events whose job goes on. */
  snapshot: { status: Status; stage: Stage | null; progress: number } | null;
  /** What it becomes when its one more attempt, asked for by a resend, fails as well; `null`: attempts go by the schedule. */
  once: 'delivered' | 'failed' | null;
  /** Attempts beside the schedule, asked for while it was still pending. */
  extra: number;
  /** The last of these is yet to be made. */
  asked: boolean;
  attempts: DeliveryAttempt[];
  /** How many attempts were made, of which the newest are in `attempts`. */
  attempts_made: number;
  created_at: Ms;
  next_attempt_at: Ms | null;
}

export interface DeliveryAttempt {
  number: number;
  at: Ms;
  duration_ms: number;
  ok: boolean;
  phase: string;
  status?: number | undefined;
  error?: string | undefined;
  answer?: string | undefined;
}
