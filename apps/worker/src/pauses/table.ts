import type { PauseReason } from '@grsai-jobs/jobs';
import type { QueueName } from '@grsai-jobs/queue';

/**
 * Which queues a reason stops (design.md §2.10). Storage stops what cannot be kept (P3): image tasks here, and synchronous image calls
 * in their stage; chat goes on, since its answers need no S3.
 */
export const PAUSES = {
  auth: ['call', 'submit'],
  balance: ['call', 'submit'],
  storage: ['submit'],
  upstream: ['call', 'submit'],
} as const satisfies Readonly<
  Record<Exclude<PauseReason, 'operator' | 'upstream_rate_limit' | 'upstream_refusal'>, readonly QueueName[]>
>;

/** Reasons that the service sets, and clears when a probe says that the trouble is over. */
export type ProbedReason = keyof typeof PAUSES;

export const isProbed = (reason: PauseReason): reason is ProbedReason => reason in PAUSES;
