import { PAUSE_REASONS, type PauseReason } from './pauses.ts';
import { rfc3339 } from './rfc3339.ts';

/** Why a queued job waits, beside pauses of its queue. */
const REASONS = [
  'turn',
  'tenant_limit',
  'account_limit',
  'rate_limit',
  'budget',
  'backoff',
  'no_caller',
  'paused:suspect',
] as const;

export type WaitingReason = (typeof REASONS)[number] | `paused:${PauseReason}`;

export const WAITING_REASONS: readonly WaitingReason[] = [
  ...REASONS,
  ...(Object.keys(PAUSE_REASONS) as PauseReason[]).map((reason) => `paused:${reason}` as const),
];

/** Why a job that is queued waits. */
export interface Waiting {
  reason: WaitingReason;
  /** Milliseconds since 1970. */
  since: number;
  /** From 1, among the jobs of its tenant that have calls of the same kind before them; `null`: it waits for a time of its own. */
  position: number | null;
}

/** The same as callers see it. */
export const viewWaiting = (waiting: Waiting | null | undefined) =>
  waiting ? { ...waiting, since: rfc3339(waiting.since) } : null;
