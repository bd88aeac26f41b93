import type { QueueName } from '../queues.ts';

/** What is true of a job for as long as it is in a state. */
export interface StateRow {
  /** The part of the record that it cannot be without. */
  readonly needs: 'lease' | 'task' | 'unstored' | null;
  /** Where its entry waits; `paid`: in `call` or `submit`, by the type of the job. `null`: it has none. */
  readonly queue: Exclude<QueueName, 'call' | 'submit' | 'deliver' | 'maintain'> | 'paid' | null;
  /** Past its time it expires. Elsewhere a call is in flight or a result is being stored, whose end comes first. */
  readonly expires: boolean;
  /** What goes on upstream when the run is given up, so that it is polled late. */
  readonly outlives: 'task' | null;
  /** Which end of a run it is, if one: `failed` is one that nobody wanted. */
  readonly end: 'done' | 'failed' | null;
  /** Sorted sets, beside that of what is due, in which its id stands: for as long as it is here, or for `late` while its task is polled. */
  readonly sets: readonly ('storing' | 'ended' | 'failed' | 'late')[];
}

/**
 * Every state of a job, as the table of transitions and the scripts compare them: status and stage as one word. Whatever differs from state
 * to state is a column here, and scripts get it as functions (`stateFunctions` in job-store).
 *
 * `canceling` keeps the stage of what is in flight.
 */
export const STATES = {
  queued: { needs: null, queue: 'paid', expires: true, outlives: null, end: null, sets: [] },
  'running/submitting': { needs: 'lease', queue: 'paid', expires: false, outlives: null, end: null, sets: [] },
  'running/generating': { needs: 'task', queue: 'poll', expires: true, outlives: 'task', end: null, sets: [] },
  'running/storing': { needs: 'unstored', queue: 'store', expires: false, outlives: null, end: null, sets: ['storing'] },
  'canceling/submitting': { needs: 'lease', queue: 'paid', expires: false, outlives: null, end: null, sets: [] },
  'canceling/storing': { needs: 'unstored', queue: 'store', expires: false, outlives: null, end: null, sets: ['storing'] },
  succeeded: { needs: null, queue: null, expires: false, outlives: null, end: 'done', sets: ['ended', 'late'] },
  failed: { needs: null, queue: null, expires: false, outlives: null, end: 'failed', sets: ['ended', 'failed', 'late'] },
  // Nobody waits for what its task may still bring, but for what it costs.
  canceled: { needs: null, queue: null, expires: false, outlives: null, end: 'done', sets: ['ended', 'late'] },
  expired: { needs: null, queue: null, expires: false, outlives: null, end: 'failed', sets: ['ended', 'failed', 'late'] },
} as const satisfies Readonly<Record<string, StateRow>>;

type States = typeof STATES;
export type State = keyof States;

/** The states in which a column has one of these values. */
type StatesWith<C extends keyof StateRow, V> = { [S in State]: States[S][C] extends V ? S : never }[State];

/** These states, in the order of the table. */
function statesWith<C extends keyof StateRow, const V extends StateRow[C]>(column: C, ...values: V[]): StatesWith<C, V>[] {
  const rows: Readonly<Record<string, StateRow>> = STATES;
  const such = Object.keys(STATES).filter((state) => rows[state] && (values as StateRow[C][]).includes(rows[state][column]));
  return such as StatesWith<C, V>[];
}

export type TerminalStatus = StatesWith<'end', 'done' | 'failed'>;
/** Between its first queue entry and the end of its run. */
export type LiveState = Exclude<State, TerminalStatus>;

export const TERMINAL = statesWith('end', 'done', 'failed');
export const LIVE = statesWith('end', null);
/** Ends that nobody wanted: what operators see as failures. */
export const FAILED = statesWith('end', 'failed');

type Part<S extends string, N extends 'status' | 'stage'> = S extends `${infer Status}/${infer Stage}`
  ? N extends 'status'
    ? Status
    : Stage
  : N extends 'status'
    ? S
    : never;

/** What callers see of where a job stands; `stage` says more of a running one. */
export const STATUSES = ['queued', 'running', 'succeeded', 'failed', 'canceling', 'canceled', 'expired'] as const;
export type Status = Part<State, 'status'>;

/** Where a running job is; the service runs by it. */
export const STAGES = ['submitting', 'generating', 'storing'] as const;
export type Stage = Part<State, 'stage'>;

export const isTerminal = (status: Status): status is TerminalStatus => (TERMINAL as readonly Status[]).includes(status);

export const isFailed = (status: string): boolean => (FAILED as readonly string[]).includes(status);

interface Stands {
  status: Status;
  stage: Stage | null;
}

/** The state that the job is in. */
export const stateIn = ({ status, stage }: Stands): State => (stage === null ? status : `${status}/${stage}`) as State;

/** Whether a paid call is in flight in this state, whose end is for the holder of its lease to write. */
export const isCall = (state: State): boolean => STATES[state].needs === 'lease';

/** Whether a job that is in this state at this time expires. */
export const hasExpired = (state: State, expiresAt: number, now: number): boolean => STATES[state].expires && expiresAt <= now;

/** Whether its task goes on when its run is given up. */
export const hasLivingTask = (job: Stands): boolean => STATES[stateIn(job)].outlives === 'task';
