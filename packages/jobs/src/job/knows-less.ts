import { modelAt } from '../fallback.ts';
import type { JobRecord } from './job.ts';
import { stateIn } from './states.ts';

/** A paid call, as its holder knows it since it began. */
export type HeldCall = Pick<JobRecord, 'doc' | 'run' | 'step' | 'attempts_used'> & { lease: { token: string } };

/**
 * Whether a record does not know of a call that was begun: a failover has forgotten it. Without one a record knows more than any call
 * of its job, never less: a run, a step, a model that was left and, of the model that it has, an attempt that is used up are never taken back.
 */
export function knowsLess(record: JobRecord, call: HeldCall): boolean {
  if (record.lease?.token === call.lease.token) return false;
  if (record.run !== call.run) return record.run < call.run;
  const [model, held] = [modelAt(record.doc), modelAt(call.doc)];
  if (model !== held) return model < held;
  if (record.attempts_used !== call.attempts_used) return record.attempts_used < call.attempts_used;
  switch (stateIn(record)) {
    // A call that made nothing gives its lease back by itself, and is none that anybody asks about.
    case 'queued':
    case 'running/submitting':
      return true;
    // The task of the attempt before, which was to be submitted once more.
    case 'running/generating':
      return record.step < call.step;
    default:
      return false;
  }
}
