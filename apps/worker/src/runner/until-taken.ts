import { NotLasting } from '@grsai-jobs/redis';
import type { Logger, Timers } from '@grsai-jobs/runtime';

/** What was paid for and is kept by this process alone so far, as the log names it: a task id, or the links of a result. */
export interface Unwritten {
  job_id: string;
  base?: string;
  task_id?: string;
  links?: readonly string[];
}

/** How a stop reaches what is in flight (P6). */
export interface Shutdown {
  /** Fires at SIGTERM: what costs nothing to repeat ends at once. */
  readonly stopping: AbortSignal;
  /** Fires shortly before the deadline: synchronous calls still in flight are cut. */
  readonly cutting: AbortSignal;
}

/**
 * Repeats the write of what was paid for until Redis, or the object store, takes it (P3); the token makes repeated writes idempotent.
 * `again`: which errors that is for. If a stop runs out of time before that, the log has it for the operator.
 */
export async function untilTaken<T>(
  d: { log: Logger; shutdown: Shutdown; timers: Pick<Timers, 'sleep'>; newToken: () => string },
  paid: Unwritten,
  write: (token: string) => Promise<T>,
  again: (error: unknown) => boolean = () => true,
): Promise<T> {
  const lastWords = () =>
    d.log.fatal({ event: 'job.paid_not_written', ...paid }, 'stopping, and what was paid for is not written');
  d.shutdown.cutting.addEventListener('abort', lastWords);
  const token = d.newToken();
  try {
    for (let n = 0; ; n += 1) {
      try {
        return await write(token);
      } catch (err) {
        if (!again(err)) throw err;
        if (err instanceof NotLasting) d.log.warn({ event: 'redis.not_lasting', err, job_id: paid.job_id }, err.message);
        else
          d.log.error(
            { event: 'job.paid_not_written', err, job_id: paid.job_id, attempts: n + 1 },
            'what was paid for could not be written, trying again',
          );
        await d.timers.sleep(Math.min(2000, 100 * 2 ** n));
      }
    }
  } finally {
    d.shutdown.cutting.removeEventListener('abort', lastWords);
  }
}
