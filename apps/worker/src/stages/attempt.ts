import type { FailureCode, NewAttempt } from '@grsai-jobs/jobs';

export const attemptAt = (
  stage: NewAttempt['stage'],
  startedAt: number,
  endedAt: number,
  outcome: NewAttempt['outcome'],
  more: { code?: FailureCode | string | undefined; status?: number | undefined; base?: string | undefined } = {},
): NewAttempt => ({
  stage,
  started_at: startedAt,
  ended_at: endedAt,
  outcome,
  ...(more.code === undefined ? {} : { error_code: more.code }),
  ...(more.status === undefined ? {} : { upstream_status: more.status }),
  ...(more.base === undefined ? {} : { base: more.base }),
});
