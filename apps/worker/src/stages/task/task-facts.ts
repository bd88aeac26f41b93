import type { Attempt, Generating, JobDoc, JobRecord } from '@grsai-jobs/jobs';
import { durationKind } from '@grsai-jobs/jobs';
import type { Timers } from '@grsai-jobs/runtime';
import { LRUCache } from 'lru-cache';

/** What a poll needs to know of a task. It hardly changes while the entry counts, so it is not read at each poll. */
export interface TaskFacts extends Pick<JobRecord, 'id' | 'tenant' | 'run' | 'step' | 'batch_id' | 'expires_at'> {
  /** Where its caller wants progress reported. */
  callback: JobDoc['webhook'];
  base: string;
  taskId: string;
  submittedAt: number;
  /** When this run began to poll: its budget counts from here, so that a retry polls for as long again. */
  polledSince: number;
  progress: number;
  polls: number;
  /** Model and size, for its pace. */
  kind: string;
  /** Its age at the last poll that saw it run, as far as this process knows. */
  runningAtMs: number | undefined;
  /** Polls since then have not found it, and the record has them. */
  missed: boolean;
}

/** The polls in a row that have not found what should be there, up to now. */
export const missesOf = ({ attempts, run, task }: Pick<Generating, 'attempts' | 'run' | 'task'>): readonly Attempt[] =>
  attempts.filter(
    (each) => each.run === run && each.stage === 'poll' && each.started_at > (task.last_polled_at ?? task.submitted_at),
  );

export const taskFacts = ({ task, doc, ...job }: Generating): TaskFacts => ({
  id: job.id,
  tenant: job.tenant,
  run: job.run,
  callback: doc.webhook,
  step: job.step,
  batch_id: job.batch_id,
  expires_at: job.expires_at,
  base: task.base,
  taskId: task.id,
  submittedAt: task.submitted_at,
  polledSince: Math.max(task.submitted_at, job.expires_at - doc.expires_in_s * 1000),
  progress: job.progress,
  polls: task.polls,
  kind: durationKind(doc),
  runningAtMs: ageAtLastPoll(task),
  missed: missesOf({ ...job, task }).length > 0,
});

/** A poll writes the record only when there was progress to report, so this may be an earlier one than the last. */
function ageAtLastPoll({ last_polled_at, submitted_at }: Generating['task']): number | undefined {
  const age = (last_polled_at ?? 0) - submitted_at;
  return age > 0 ? age : undefined;
}

/** Tasks that this process knows, by queue entry. */
export type KnownTasks = LRUCache<string, TaskFacts>;

const KEPT = 20_000;
/** A job that was canceled or changed meanwhile is noticed after this long. */
const KEPT_MS = 30_000;

export const createKnownTasks = ({ elapsed }: Pick<Timers, 'elapsed'>): KnownTasks =>
  new LRUCache({ max: KEPT, ttl: KEPT_MS, ttlResolution: 0, perf: { now: elapsed } });
