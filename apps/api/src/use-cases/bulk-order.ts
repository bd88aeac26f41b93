import { createHash } from 'node:crypto';
import { BULK_ACTIONS, type BulkOrder, type JobFilter, type Principal } from '@grsai-jobs/job-store';
import { FAILURE_CODES, isFailed, JOB_ID, LIMITS, SIGNATURE, STATUSES, type Status, TENANT } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { Reason, time } from '../validation/fields.ts';
import type { FieldError } from '../validation/validate.ts';

const IDS = 1000;
const RATE = { min: 1, default: 600, max: 60_000 };

/** The filters of a list of jobs, as a body has them. */
const BulkFilter = z
  .strictObject({
    tenant: z.string().regex(TENANT, 'must be 1 to 32 of a-z 0-9 -').optional(),
    signature: z.string().regex(SIGNATURE, 'must be the id of a group of failures').optional(),
    status: z.array(z.enum(STATUSES)).min(1).optional(),
    type: z.enum(['chat', 'image']).optional(),
    model: z.string().min(1).max(LIMITS.model).optional(),
    batch_id: z.string().min(1).max(64).optional(),
    error_code: z
      .array(z.enum(FAILURE_CODES as [string, ...string[]]))
      .min(1)
      .optional(),
    metadata: z.record(z.string().min(1).max(LIMITS.metadataKey), z.string()).optional(),
    created_after: time.optional(),
    created_before: time.optional(),
  })
  .refine((filter) => Object.values(filter).some((value) => value !== undefined), 'say at least one');

/** The body of `POST /admin/v1/bulk-actions`. */
export const BulkRequest = z
  .strictObject({
    action: z.enum(BULK_ACTIONS),
    filter: BulkFilter.optional().describe(
      'which jobs; without `status` requeue means failed ones, cancel queued and running ones, redeliver all that have ended',
    ),
    ids: z
      .array(z.string().regex(JOB_ID, 'must be the id of a job'))
      .min(1)
      .max(IDS)
      .optional()
      .describe('these jobs, instead of a filter'),
    dry_run: z.boolean().default(false).describe('only says what would be done'),
    rate_per_min: z
      .int()
      .min(RATE.min)
      .max(RATE.max)
      .default(RATE.default)
      .describe('jobs in a minute; those of two seconds may go at once'),
    include_unknown: z
      .boolean()
      .default(false)
      .describe('requeue also submits again what ended as submit_unknown, and maybe pays twice'),
    reason: Reason.optional().describe('why; it stands in the audit log. A dry run needs none'),
  })
  .refine(({ dry_run, reason }) => dry_run || reason !== undefined, {
    message: 'say why, in 1 to 500 characters',
    path: ['reason'],
  })
  .refine(({ filter, ids }) => (filter === undefined) !== (ids === undefined), {
    message: 'give either filter or ids',
    path: ['filter'],
  });

export type BulkRequest = z.output<typeof BulkRequest>;

/** Statuses that an action can be about, and those that it is about when none are named. */
const ABOUT: Readonly<Record<BulkRequest['action'], { of: readonly Status[]; when_not_said: readonly Status[] }>> = {
  requeue: { of: ['failed', 'expired', 'canceled'], when_not_said: ['failed'] },
  cancel: { of: ['queued', 'running'], when_not_said: ['queued', 'running'] },
  redeliver: {
    of: ['succeeded', 'failed', 'expired', 'canceled'],
    when_not_said: ['succeeded', 'failed', 'expired', 'canceled'],
  },
};

function jobFilter(request: BulkRequest, filter: NonNullable<BulkRequest['filter']>, before: number): JobFilter | FieldError {
  const { of, when_not_said } = ABOUT[request.action];
  const cause = (['signature', 'error_code'] as const).find((each) => filter[each] !== undefined);
  if (cause !== undefined && !of.some(isFailed))
    return { pointer: `/filter/${cause}`, message: `no job that is ${of.join(' or ')} has an error` };
  // A cause that is named brings all that ended by it.
  const status =
    filter.status ?? (cause !== undefined ? of.filter((each) => isFailed(each) || when_not_said.includes(each)) : when_not_said);
  if (!status.every((each) => of.includes(each)))
    return { pointer: '/filter/status', message: `${request.action} is for jobs that are ${of.join(', ')}` };
  // Failures stand in an index by the time of their end: what fails from now on is behind its bound.
  const onlyFailed = filter.signature !== undefined || status.every(isFailed);
  const createdBefore = Math.min(before, filter.created_before === undefined ? before : Date.parse(filter.created_before));
  return {
    status,
    createdBefore,
    metadata: filter.metadata ?? {},
    ...(onlyFailed ? { failedBefore: before } : {}),
    ...(filter.signature === undefined ? {} : { signature: filter.signature }),
    ...(filter.type === undefined ? {} : { type: filter.type }),
    ...(filter.model === undefined ? {} : { model: filter.model }),
    ...(filter.batch_id === undefined ? {} : { batchId: filter.batch_id }),
    ...(filter.error_code === undefined ? {} : { errorCode: filter.error_code }),
    ...(filter.created_after === undefined ? {} : { createdAfter: Date.parse(filter.created_after) }),
  };
}

/** What is written down of a request, whose meaning `before` bounds; or what is wrong with its filter. */
export function bulkOrder(
  request: BulkRequest,
  by: Principal,
  before: number,
): { kind: 'order'; order: BulkOrder } | { kind: 'invalid'; errors: FieldError[] } {
  const { action, filter: asked, ids, rate_per_min, include_unknown, reason = 'a dry run' } = request;
  const filter = asked && jobFilter(request, asked, before);
  if (filter && 'pointer' in filter) return { kind: 'invalid', errors: [filter] };
  const order: BulkOrder = {
    action,
    select: filter === undefined ? { ids: [...new Set(ids)] } : { tenant: asked?.tenant ?? null, filter },
    before,
    rate_per_min,
    include_unknown,
    reason,
    key_id: by.key_id,
    key_name: by.name,
    fingerprint: createHash('sha256').update(JSON.stringify(request)).digest('hex'),
  };
  return { kind: 'order', order };
}
