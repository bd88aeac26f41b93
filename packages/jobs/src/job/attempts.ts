import { LIMITS } from '../limits.ts';
import type { Attempt, JobRecord, NewAttempt } from './job.ts';

/** Refusals after which a call or submit is made again without having used up an attempt; they may go on for a day. */
const FREE: readonly string[] = [
  'upstream_rate_limited',
  'upstream_auth',
  'upstream_balance',
  'upstream_busy',
  'upstream_refusal',
  'probe_failed',
  'body_failed',
];

const maybePaid = ({ stage, outcome, error_code }: Attempt): boolean =>
  (stage === 'call' || stage === 'submit') && !(outcome === 'retry' && FREE.includes(error_code ?? ''));

/** The attempts as they are kept, oldest first: what may have been paid for is not pushed out by what came after it. */
export function keptAttempts(attempts: readonly Attempt[]): readonly Attempt[] {
  const paid = new Set(attempts.filter(maybePaid).slice(-LIMITS.paidAttemptsKept));
  const others = new Set(attempts.filter((each) => !maybePaid(each)).slice(-LIMITS.attemptsKept));
  return attempts.filter((each) => paid.has(each) || others.has(each));
}

/** The attempt with its place in the job: its number goes on from those of the same run and stage. */
export function numbered({ run, attempts }: Pick<JobRecord, 'run' | 'attempts'>, attempt: NewAttempt): Attempt {
  const before = attempts.filter((each) => each.run === run && each.stage === attempt.stage);
  return { run, number: (before.at(-1)?.number ?? 0) + 1, ...attempt };
}

/** The attempts of a job after one more. */
export const withAttempt = (job: Pick<JobRecord, 'run' | 'attempts'>, attempt: NewAttempt): readonly Attempt[] =>
  keptAttempts([...job.attempts, numbered(job, attempt)]);
