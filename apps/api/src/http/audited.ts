import type { AuditEntry, JobStore } from '@grsai-jobs/job-store';
import type { Logger } from '@grsai-jobs/runtime';
import type { Response } from 'express';
import { principalOf } from './auth.ts';
import { PROBLEMS, Problem } from './problem.ts';

/** Changes something on behalf of an operator, with its line in the audit log. */
export type Audited = <T>(
  response: Response,
  what: Pick<AuditEntry, 'action' | 'target' | 'reason'>,
  change: () => Promise<{ result: T; target?: string; detail?: string }>,
) => Promise<T>;

/**
 * The line is written first, so that nothing is changed that has none: where it cannot be written the request fails and
 * nothing was done. After the change one with the outcome takes its place; where that fails the first stays, as `begun`.
 */
export function createAudited(o: { audit: JobStore['audit']; log: Logger }): Audited {
  const outcomeOf = (error: unknown): ['refused' | 'failed', string] =>
    error instanceof Problem && PROBLEMS[error.code].status < 500 ? ['refused', error.message] : ['failed', String(error)];

  return async (response, what, change) => {
    const { key_id, name } = principalOf(response);
    const entry: AuditEntry = { key_id, key_name: name, ...what };
    const id = await o.audit.begin(entry);
    const end = async (more: Partial<AuditEntry>, outcome: 'done' | 'refused' | 'failed', detail: string | undefined) => {
      o.log.info({ event: 'admin.change', ...entry, ...more, outcome, detail }, `${entry.action}: ${outcome}`);
      await o.audit
        .end(id, { ...entry, ...more }, outcome, detail)
        .catch((err: unknown) => o.log.error({ event: 'audit.open', err, ...entry }, 'the line in the audit log stays as begun'));
    };
    try {
      const { result, target, detail } = await change();
      await end(target === undefined ? {} : { target }, 'done', detail);
      return result;
    } catch (error) {
      await end({}, ...outcomeOf(error));
      throw error;
    }
  };
}
