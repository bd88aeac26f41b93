import type { BatchView } from '@grsai-jobs/jobs';
import type { Api } from './api/client.ts';
import { PATIENT_TRIES, retryAfterMs } from './api/retry-policy.ts';

/** A batch as the API answers it; `invalid` only in the answer to a POST that skipped bad lines. */
export type Batch = BatchView & { invalid?: { count: number; errors: BadLine[] } };

/** A line that could not become a job. */
export interface BadLine {
  line: number;
  custom_id?: string | null;
  errors: { pointer: string; message: string }[];
}

const ENDS: ReadonlySet<string> = new Set(['completed', 'canceled', 'expired']);

export const hasEnded = ({ status }: Pick<Batch, 'status'>): boolean => ENDS.has(status);

export const allSucceeded = ({ counts }: Pick<Batch, 'counts'>): boolean => counts.succeeded === counts.total;

export const batchPath = (id: string): string => `/v1/batches/${encodeURIComponent(id)}`;

/** A batch, and when to look at it again. */
export async function readBatch(api: Api, id: string, signal: AbortSignal): Promise<{ batch: Batch; againInMs: number }> {
  const response = await api.send('GET', batchPath(id), { signal, tries: PATIENT_TRIES });
  return { batch: (await response.json()) as Batch, againInMs: retryAfterMs(response.headers) ?? 2000 };
}
