import { durationKind, type JobDoc, type JobRecord } from '@grsai-jobs/jobs';
import { LRUCache } from 'lru-cache';

/** What a look needs to know of a task. It hardly changes while the entry counts, so it is not read at each look. */
export interface TaskFacts extends Pick<JobRecord, 'id' | 'tenant' | 'run' | 'step' | 'batch_id' | 'expires_at'> {
  webhook: JobDoc['webhook'];
  base: string;
  taskId: string;
  submittedAt: number;
  /** When this run began to look: its budget counts from here, so that a retry looks for as long again. */
  lookedAtSince: number;
  progress: number;
  polls: number;
  /** Model and size, for its pace. */
  kind: string;
  /** Its age at the last look that saw it run, as far as this process knows. */
  runningAtMs: number | undefined;
}

export const taskFacts = (
  record: JobRecord,
  task: { base: string; id: string; submittedAt: number; step?: number },
): TaskFacts => ({
  id: record.id,
  tenant: record.tenant,
  run: record.run,
  webhook: record.doc.webhook,
  step: task.step ?? record.step,
  batch_id: record.batch_id,
  expires_at: record.expires_at,
  base: task.base,
  taskId: task.id,
  submittedAt: task.submittedAt,
  lookedAtSince: Math.max(task.submittedAt, record.expires_at - record.doc.expires_in_s * 1000),
  progress: record.progress,
  polls: record.polls,
  kind: durationKind(record.doc),
  runningAtMs: ageAtLastLook(record, task.submittedAt),
});

/** A look writes the record only when there was news, so this may be an earlier one than the last. */
function ageAtLastLook(record: JobRecord, submittedAt: number): number | undefined {
  const age = (record.last_polled_at ?? 0) - submittedAt;
  return age > 0 ? age : undefined;
}

/** Tasks that this process knows, by queue entry. */
export type KnownTasks = LRUCache<string, TaskFacts>;

const KEPT = 20_000;
/** A job that was canceled or moved on meanwhile is noticed after this long. */
const KEPT_MS = 30_000;

export const createKnownTasks = (): KnownTasks => new LRUCache({ max: KEPT, ttl: KEPT_MS });
