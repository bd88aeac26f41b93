import type { JobDoc } from './doc.ts';
import type { FailureCode } from './failures.ts';
import type { Stage, Status } from './states.ts';

/** Times in a record are milliseconds since 1970. */
type Ms = number;

/**
 * One try at something for a job. A look is kept only when it failed. Calls and submits that may have been paid for are kept for the
 * life of the record, the newest 100 of them; of all others the newest 20.
 */
export interface Attempt {
  run: number;
  stage: 'call' | 'submit' | 'poll' | 'store';
  /** Counts within run and stage, from 1. */
  number: number;
  started_at: Ms;
  ended_at: Ms;
  outcome: 'succeeded' | 'retry' | 'failed' | 'unknown' | 'cut' | 'accepted';
  error_code?: FailureCode | string;
  upstream_status?: number;
  base?: string;
}

/** Why a run failed. */
export interface JobError {
  code: FailureCode;
  message: string;
  retryable: boolean;
  stage: Stage | 'queued';
  upstream?: {
    status?: number | undefined;
    code?: string | undefined;
    message?: string | undefined;
    task_id?: string | undefined;
  };
}

/** A stored image. Its link is signed when it is shown, not kept. */
export interface StoredImage {
  index: number;
  content_type: string;
  bytes: number;
  width: number | null;
  height: number | null;
  sha256: string;
  key: string;
}

/** What a succeeded run left. A large completion stands in the object store under `key`. */
export type JobOutput =
  | { kind: 'chat'; completion: unknown }
  | { kind: 'chat_file'; key: string; bytes: number; sha256: string }
  | { kind: 'images'; images: StoredImage[]; lost?: LostOutput[] };

/** An output that was paid for and could not be kept, beside others that are. */
export interface LostOutput {
  index: number;
  reason: string;
}

/** One output that was paid for, and what has become of it so far. */
export interface PendingOutput {
  /** Where its file is. Left out: it stands in the answer of the task, which is asked for it. */
  url?: string;
  /** It is in the object store. */
  stored?: StoredImage;
  /** It was refused for good, so far. */
  refused?: Refusals;
  /** It was refused so often that this is believed: why. */
  lost?: string;
}

/** What is known of an output that its host refuses, or whose bytes are no picture. */
interface Refusals {
  /** When the first download began. */
  since: Ms;
  times: number;
  /** When it is tried again. */
  next: Ms;
  reason: string;
}

/**
 * What was paid for and is not stored yet: outputs with the time their links die, or a completion too large for the record. Of a chat
 * that is called once more, the answer that it has already, should nothing better come.
 */
export interface Pending {
  links?: PendingOutput[];
  completion?: unknown;
  /** After this time the links are dead. */
  dies_at: Ms;
}

/** The open paid call (design §2 `sent`). */
export interface Sent {
  by: string;
  at: Ms;
  until: Ms;
}

/** A job in Redis: the truth about it. */
export interface JobRecord {
  id: string;
  tenant: string;
  status: Status;
  stage: Stage | null;
  run: number;
  step: number;
  seq: number;
  turn: number;
  doc: JobDoc;
  created_at: Ms;
  started_at: Ms | null;
  finished_at: Ms | null;
  expires_at: Ms;
  due: Ms | null;
  progress: number;
  /** Attempts that were spent in this run on calls and submits. */
  spent: number;
  crashes: number;
  sent: Sent | null;
  base: string | null;
  task_id: string | null;
  submitted_at: Ms | null;
  polls: number;
  last_polled_at: Ms | null;
  pending: Pending | null;
  output: JobOutput | null;
  error: JobError | null;
  attempts: Attempt[];
  past: Record<number, PastRun>;
  webhook: { state: 'none' | 'pending' | 'delivered' | 'failed'; last_delivery_id: string | null };
  batch_id: string | null;
  custom_id: string | null;
  /** The line of its batch, from 1. */
  line: number | null;
  late_result: boolean;
  /** Its delete has begun: what it stored may be gone, so it is not run again. */
  erasing: boolean;
}

/** What is kept of a run when the job is reopened. */
export interface PastRun {
  status: Status;
  error: JobError | null;
  output: JobOutput | null;
  finished_at: Ms | null;
}

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
