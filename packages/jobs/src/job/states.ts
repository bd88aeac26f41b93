/** What callers see of where a job stands; `stage` says more of a running one. */
export const STATUSES = ['queued', 'running', 'succeeded', 'failed', 'canceling', 'canceled', 'expired'] as const;
export type Status = (typeof STATUSES)[number];

/** Where a running job is; the service runs by it. */
export const STAGES = ['submitting', 'generating', 'storing'] as const;
export type Stage = (typeof STAGES)[number];

export const TERMINAL = ['succeeded', 'failed', 'canceled', 'expired'] as const satisfies readonly Status[];
export type TerminalStatus = (typeof TERMINAL)[number];

export const isTerminal = (status: Status): status is TerminalStatus => (TERMINAL as readonly Status[]).includes(status);

/** Ends that nobody wanted: what operators see as failures. */
export const FAILED = ['failed', 'expired'] as const satisfies readonly TerminalStatus[];

export const isFailed = (status: string): boolean => (FAILED as readonly string[]).includes(status);

/**
 * Status and stage as one word, as the table of transitions and the scripts compare them. `validating`: a line of a batch that is still
 * being uploaded, which nobody sees. `canceling` keeps the stage of what is in flight.
 */
export type State = 'validating' | 'queued' | `running/${Stage}` | 'canceling/submitting' | 'canceling/storing' | TerminalStatus;

export const stateOf = (status: Status, stage: Stage | null): State => (stage === null ? status : `${status}/${stage}`) as State;
