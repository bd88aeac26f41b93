import type { BrakeState, FreeQueue, Job, NewAttempt, PaidQueue, Submitting, Transition, UnstoredResult } from '@grsai-jobs/jobs';
import type { Entry } from '@grsai-jobs/queue';
import type { ProbedReason } from '../pauses/table.ts';

/**
 * What a stage has come to, as plain data. The runner commits the transition, resolves conflicts, adds queue entries, logs and counts;
 * a stage does none of this.
 */
export interface Decision {
  /** Left out: nothing changes. */
  transition?: Transition;
  /** The job that the transition is of, where the stage has read it. */
  job?: Job;
  /** What becomes of the queue entry: it is done with, or comes again. */
  entry: 'done' | { waitMs: number };
  /** Why, in words that may be upstream's. */
  reason?: string;
  /** An attempt that the job does not keep, for the log and the counters. */
  observed?: Pick<NewAttempt, 'stage' | 'outcome' | 'error_code' | 'upstream_status'>;
  /** All jobs of a queue have to wait for this. */
  pause?: { reason: ProbedReason; detail: string };
  /** Upstream accepted the call: closes its breaker and its brake. */
  upstreamAccepted?: true;
  /** What the call handed on piece by piece is all of the answer, and the one that is kept. */
  streamIsWhole?: true;
}

/**
 * What a stage with a paid call has come to. Its queue can wait as a whole, with the entry back in front: its calls are what the account
 * limits. A stage without one cannot ask for that, since its jobs wait for nothing that they share.
 */
export interface PaidDecision extends Omit<Decision, 'entry'> {
  entry: Decision['entry'] | { throttleMs: number };
}

export const done: Decision = { entry: 'done' };

/** A paid call that may go out now. */
export interface PaidCall {
  /** With its whole input. */
  job: Submitting;
  startedAt: number;
  /** What was known of refusals when it began; `null`: nothing. */
  refusals: BrakeState | null;
}

/** A large input is read whole within this time, which its lease has for it beside that of the call. */
export const READ_INPUT_MS = 20_000;

/** What the runner does for a stage while its call is in flight. */
export interface CallIo {
  /** Fires when the call has to end: shortly before the deadline of a stop, and for a chat when its caller cancels it. */
  signal: AbortSignal;
  /** Whether it was the caller who ended the call. */
  canceled(): boolean;
  /** Reports the progress of the call, 0–99. It is written every few seconds. */
  report(progress: number): void;
  /** Hands on a piece of an answer that is still coming in. */
  piece(chunk: Readonly<Record<string, unknown>>): void;
  /** Says that the call is still in flight, beyond its lease: its answer is here and is being stored. */
  renewLease(): Promise<void>;
  /** Repeats a write of what was paid for until Redis or the object store takes it. */
  untilTaken<T>(write: () => Promise<T>): Promise<T>;
}

/** A stage with a paid call. */
export interface PaidStage {
  name: PaidQueue;
  /** How long the call may take. */
  limitMs: number;
  decide: (call: PaidCall, io: CallIo) => Promise<PaidDecision>;
}

/** A job that is due in a stage without a paid call. `null`: its queue entry does not count. */
export interface FreeStage<J> {
  name: FreeQueue;
  find: (entry: Entry) => Promise<J | null>;
  decide: (job: J) => Promise<Decision>;
  /** Called with what its decision came to: its transition, or `null` when there was none or somebody else was first. */
  settled?: (entry: Entry, job: J, decided: Decision, committed: Transition | null) => void;
}

/** The paid result that a transition carries, in case its run has ended meanwhile. */
export function broughtBy(t: Transition, now: number): UnstoredResult | null {
  if (t.kind === 'start_storing') return t.unstored;
  if (t.kind !== 'finish' || t.output?.kind !== 'chat') return null;
  return { completion: t.output.completion, dies_at: now + COMPLETION_LIFE_MS };
}

/** A completion that is too large for the record waits in it until it is stored; nothing upstream can bring it back. */
export const COMPLETION_LIFE_MS = 7 * 24 * 3600 * 1000;
