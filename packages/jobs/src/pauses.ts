/**
 * Why jobs of a queue wait, and what it is that waits. `queue`: all of it, and a flag says so. `until`: all of it, for a time that is
 * known, and it goes on by itself. `model`: jobs of some models.
 */
export const PAUSE_REASONS = {
  operator: 'queue',
  auth: 'queue',
  balance: 'queue',
  storage: 'queue',
  upstream: 'queue',
  upstream_rate_limit: 'until',
  upstream_refusal: 'model',
} as const satisfies Readonly<Record<string, 'queue' | 'until' | 'model'>>;

export type PauseReason = keyof typeof PAUSE_REASONS;

/** Whether the flag of the queue itself shows the reason. */
export const hasFlag = (reason: PauseReason): boolean => PAUSE_REASONS[reason] === 'queue';

/** Whether the reason concerns every job of the queue. */
export const stopsAll = (reason: PauseReason): boolean => PAUSE_REASONS[reason] !== 'model';
