import type { Batch } from '@grsai-jobs/client';

const ENDS: ReadonlySet<string> = new Set(['completed', 'canceled', 'expired']);

export const hasEnded = ({ status }: Pick<Batch, 'status'>): boolean => ENDS.has(status);

export const allSucceeded = ({ counts }: Pick<Batch, 'counts'>): boolean => counts.succeeded === counts.total;
