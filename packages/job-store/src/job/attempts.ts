import { type Attempt, LIMITS } from '@grsai-jobs/jobs';

/** Refusals after which a call or submit is made again without having spent an attempt; they may go on for a day. */
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
function kept(attempts: readonly Attempt[]): Attempt[] {
  const paid = new Set(attempts.filter(maybePaid).slice(-LIMITS.paidAttemptsKept));
  const others = new Set(attempts.filter((each) => !maybePaid(each)).slice(-LIMITS.attemptsKept));
  return attempts.filter((each) => paid.has(each) || others.has(each));
}

export const keptAttempts = (attempts: readonly Attempt[]): string => JSON.stringify(kept(attempts));
