import type { JobRecord } from '@grsai-jobs/jobs';
import { LRUCache } from 'lru-cache';

/** What a look needs to know of a task. It hardly changes while the entry counts, so it is not read at each look. */
export interface TaskFacts extends Pick<JobRecord, 'id' | 'tenant' | 'step' | 'batch_id' | 'expires_at'> {
  base: string;
  taskId: string;
  submittedAt: number;
  progress: number;
  polls: number;
}

export const taskFacts = (
  record: JobRecord,
  task: { base: string; id: string; submittedAt: number; step?: number },
): TaskFacts => ({
  id: record.id,
  tenant: record.tenant,
  step: task.step ?? record.step,
  batch_id: record.batch_id,
  expires_at: record.expires_at,
  base: task.base,
  taskId: task.id,
  submittedAt: task.submittedAt,
  progress: record.progress,
  polls: record.polls,
});

/** Tasks that this process knows, by queue entry. */
export type KnownTasks = LRUCache<string, TaskFacts>;

const KEPT = 20_000;
/** A job that was canceled or moved on meanwhile is noticed after this long. */
const KEPT_MS = 30_000;

export const createKnownTasks = (): KnownTasks => new LRUCache({ max: KEPT, ttl: KEPT_MS });
