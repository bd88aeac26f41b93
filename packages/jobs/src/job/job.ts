import type { JobCost } from '../cost/cost.ts';
import type { JobPrice } from '../cost/price.ts';
import type { JobDoc } from '../doc.ts';
import type { FailureCode } from '../failures.ts';
import { type LiveState, STATES, type Stage, type Status, stateIn, type TerminalStatus } from './states.ts';

/** Times in a record are milliseconds since 1970. */
type Ms = number;

/**
 * One attempt at something for a job. A poll is kept only when it failed. Calls and submits that may have been paid for are kept for the
 * life of the record, the newest 100 of them; of all others the newest 20.
 */
export interface Attempt extends NewAttempt {
  run: number;
  /** Counts within run and stage, from 1. */
  number: number;
}

/** An attempt as a stage reports it; its run and number follow from the job. */
export interface NewAttempt {
  stage: 'call' | 'submit' | 'poll' | 'store';
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
export interface UnstoredOutput {
  /** Where its file is. Left out: it stands in the answer of the task, which is asked for it. */
  url?: string;
  /** It is in the object store. */
  stored?: StoredImage;
  /** Its host refused it for good, so far. */
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
 * What was paid for and is not stored yet: outputs with the time their links die, or a completion too large for the record. For a chat
 * repeated because its answer may be cut short: the earlier answer, used if no better one comes.
 */
export interface UnstoredResult {
  links?: UnstoredOutput[];
  completion?: unknown;
  /** After this time the links are dead. */
  dies_at: Ms;
}

/** The right to make one paid call. Only its holder, who knows the token, ends the call. */
export interface Lease {
  token: string;
  acquired_at: Ms;
  /** Until then nobody else makes the call. */
  expires_at: Ms;
}

/** An image task that upstream has accepted. */
export interface UpstreamTask {
  base: string;
  id: string;
  submitted_at: Ms;
  polls: number;
  /** When a poll last found it, as far as that was written. */
  last_polled_at: Ms | null;
}

/** A job in Redis: the truth about it. {@link Job} says which parts are there in which state. */
export interface JobRecord {
  id: string;
  tenant: string;
  status: Status;
  stage: Stage | null;
  run: number;
  /** Guards queue entries: an entry of another step does not count. */
  step: number;
  /** The number of the last event, which watchers put events in order by. */
  seq: number;
  /** Its fairness number among the calls and submits of all tenants. 0: it has taken none yet, and waits in the room of its tenant. */
  turn: number;
  /** How many transitions the record has seen. */
  ver: number;
  doc: JobDoc;
  created_at: Ms;
  started_at: Ms | null;
  finished_at: Ms | null;
  expires_at: Ms;
  /** By when something must have happened to it, else it is looked after. */
  due: Ms | null;
  progress: number;
  /** Attempts that this run has used up on calls and submits. */
  attempts_used: number;
  crashes: number;
  lease: Lease | null;
  task: UpstreamTask | null;
  unstored: UnstoredResult | null;
  output: JobOutput | null;
  error: JobError | null;
  attempts: readonly Attempt[];
  past: Record<number, PastRun>;
  webhook: { state: 'none' | 'pending' | 'delivered' | 'failed'; last_delivery_id: string | null };
  batch_id: string | null;
  custom_id: string | null;
  /** The line of its batch, from 1. */
  line: number | null;
  late_result: boolean;
  /** Its delete has begun: what it stored may be gone, so it is not run again. */
  erasing: boolean;
  /** `null`: nobody knows what a call of it costs. */
  price: JobPrice | null;
  cost: JobCost;
  /** The API key that it is booked under; `null`: it has no price, or is not known. */
  key_id: string | null;
}

export interface Queued extends JobRecord {
  status: 'queued';
  stage: null;
}

/** A paid call is in flight, or its holder has died. */
export interface Submitting extends JobRecord {
  status: 'running';
  stage: 'submitting';
  lease: Lease;
}

/** Upstream works on the task. */
export interface Generating extends JobRecord {
  status: 'running';
  stage: 'generating';
  task: UpstreamTask;
}

/** A result is paid for and not stored yet. */
export interface Storing extends JobRecord {
  status: 'running';
  stage: 'storing';
  unstored: UnstoredResult;
}

/** Its caller has canceled it while a call is in flight, or a result is being stored; whoever does that ends it. */
export type Canceling = CancelingCall | CancelingStore;
type CancelingCall = JobRecord & { status: 'canceling'; stage: 'submitting'; lease: Lease };
type CancelingStore = JobRecord & { status: 'canceling'; stage: 'storing'; unstored: UnstoredResult };

/** What is kept of a lease, a task or a result can still bring an output, and is what a retry goes on from. */
export interface Ended extends JobRecord {
  status: TerminalStatus;
  stage: null;
}

/** What each state says of the record: one that is missing here does not compile. */
type InEachState<T extends Record<LiveState, JobRecord>> = T[LiveState];

/** A job in one of its states. `status` and `stage` tell them apart. */
export type Job =
  | InEachState<{
      queued: Queued;
      'running/submitting': Submitting;
      'running/generating': Generating;
      'running/storing': Storing;
      'canceling/submitting': CancelingCall;
      'canceling/storing': CancelingStore;
    }>
  | Ended;

/** What is kept of a run when the job is reopened. */
export interface PastRun {
  status: Status;
  error: JobError | null;
  output: JobOutput | null;
  finished_at: Ms | null;
}

/**
 * The record as the job that it is.
 * @throws when a part is missing that its state cannot be without.
 */
export function jobOf(record: JobRecord): Job {
  const state = stateIn(record);
  const { needs } = STATES[state];
  if (needs !== null && record[needs] === null) throw new Error(`the record of ${record.id} is ${state} and has no ${needs}`);
  return record as Job;
}
