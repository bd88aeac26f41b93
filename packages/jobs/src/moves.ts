import type { State } from './states.ts';

/** What a move does with the record's `step`, which guards workers against each other (design §2). */
type StepRule = 'first' | 'same' | 'next';

/** Who may make a move: the holder of the record's step, or the holder of the open paid call (`sent.by`). */
type Guard = 'none' | 'step' | 'sent' | 'step or sent';

export interface Move {
  /** States it may start from. Empty: the record does not exist yet. */
  readonly from: readonly State[];
  /** Where it leads. `same` keeps the state; a list is chosen from by the caller. */
  readonly to: readonly State[] | 'same';
  readonly step: StepRule;
  readonly guard: Guard;
  /** By when something must have happened, in ms after the time that the move waits for; `null`: nothing is due any more. */
  readonly dueMs: number | null;
  /** Runs on a full Redis too: it records what was paid for, or frees memory. */
  readonly paid: boolean;
}

const TERMINAL_STATES = ['succeeded', 'failed', 'canceled', 'expired'] as const;
const LIVE_STATES = [
  'queued',
  'running/submitting',
  'running/generating',
  'running/storing',
  'canceling/submitting',
  'canceling/storing',
] as const satisfies readonly State[];

const SOON = 30_000;
const MINUTE = 60_000;

/** The one table of moves (design §2). Nothing else changes a record's state; the Lua scripts get their row from here. */
export const MOVES = {
  /** The caller's request becomes a record. */
  accept: { from: [], to: ['queued'], step: 'first', guard: 'none', dueMs: SOON, paid: false },
  /** Before a byte of a paid call goes out. `dueMs` counts from `sent.until`. */
  begin: {
    from: ['queued', 'running/submitting'],
    to: ['running/submitting'],
    step: 'same',
    guard: 'step',
    dueMs: 0,
    paid: true,
  },
  /** How far the open call has come. `dueMs` counts from `sent.until`. */
  tell: { from: ['running/submitting'], to: 'same', step: 'same', guard: 'sent', dueMs: 0, paid: true },
  /** The call is proven to have made nothing: the entry goes back. */
  refused: { from: ['running/submitting'], to: ['queued'], step: 'same', guard: 'sent', dueMs: SOON, paid: true },
  /** Upstream took the image task. A job in `canceling` is told so by its state. */
  accepted: { from: ['running/submitting'], to: ['running/generating'], step: 'next', guard: 'sent', dueMs: MINUTE, paid: true },
  /** The task was asked for and still runs. */
  look: { from: ['running/generating'], to: 'same', step: 'same', guard: 'step', dueMs: 5 * MINUTE, paid: true },
  /** The task failed and was refunded: submit once more. */
  again: { from: ['running/generating'], to: ['queued'], step: 'next', guard: 'step', dueMs: SOON, paid: true },
  /** What was paid for is there and has to be kept. */
  outputs: {
    // A held call that was to be canceled and came to its end was paid for: the result is kept (P3).
    from: ['running/generating', 'running/submitting', 'canceling/submitting'],
    to: ['running/storing'],
    step: 'next',
    guard: 'step or sent',
    // A store at work holds its entry, which is looked for first; a lost one must not keep a paid result waiting.
    dueMs: SOON,
    paid: true,
  },
  /** Storing did not work this time: the same entry waits. */
  store_again: { from: ['running/storing'], to: 'same', step: 'same', guard: 'step', dueMs: 5 * MINUTE, paid: true },
  /** The end of a run. */
  end: { from: LIVE_STATES, to: TERMINAL_STATES, step: 'next', guard: 'step or sent', dueMs: null, paid: true },
  /** Nothing of ours is open: canceled at once. */
  cancel: { from: ['queued', 'running/generating'], to: ['canceled'], step: 'next', guard: 'step', dueMs: null, paid: true },
  /** A call or a store is open; it ends the job. */
  cancel_open: {
    from: ['running/submitting', 'running/storing'],
    to: ['canceling/submitting', 'canceling/storing'],
    step: 'same',
    guard: 'step',
    dueMs: MINUTE,
    paid: true,
  },
  /** A new run of an ended job. */
  reopen: {
    from: ['failed', 'expired', 'canceled'],
    to: ['queued', 'running/generating', 'running/storing'],
    step: 'next',
    guard: 'step or sent',
    dueMs: SOON,
    paid: true,
  },
  /** The job is alive and its entry is gone. */
  repair: { from: LIVE_STATES, to: 'same', step: 'next', guard: 'step', dueMs: SOON, paid: true },
  /** A stage threw without meaning to, or its worker died: a new entry, counted. */
  crash: { from: LIVE_STATES, to: 'same', step: 'next', guard: 'step', dueMs: SOON, paid: true },
} as const satisfies Record<string, Move>;

export type MoveName = keyof typeof MOVES;

/** A crash or stall count at which a run ends as `internal` or `crashed`. */
export const MAX_CRASHES = 5;
