import { type Attempt, LIMITS } from '@grsai-jobs/jobs';

/** The newest attempts as they are kept, oldest first. */
export const keptAttempts = (attempts: readonly Attempt[]): string => JSON.stringify(attempts.slice(-LIMITS.attemptsKept));
