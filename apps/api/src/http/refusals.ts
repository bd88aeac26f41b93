import type { Canceled, Reopened } from '@grsai-jobs/job-actions';
import type { OverBudget, OverQueue, Quota, Refused } from '@grsai-jobs/job-store';
import type { BatchRefusal } from '../use-cases/batch-writer.ts';
import type { JobRefusal } from '../use-cases/create-job.ts';
import type { Deleted } from '../use-cases/delete-job.ts';
import type { FileKept } from '../use-cases/files.ts';
import type { Resent } from '../use-cases/resend-delivery.ts';
import type { RetriedFailed } from '../use-cases/retry-failed.ts';
import { type ModelRefused, refusedModelText } from '../use-cases/tenant-limits.ts';
import type { UploadRefusal } from '../use-cases/upload-inputs.ts';
import { noSuchBatch, noSuchDelivery, noSuchJob } from './named.ts';
import { Problem } from './problem.ts';
import { firstOf, invalid } from './validate.ts';

/** What a caller is answered when a use case could not do something: one table for each kind of result, one row for each tag. */

type Tagged = { kind: string };
/** The member of a union of results that can have this tag. */
type Of<R extends Tagged, K> = R extends { kind: infer Own } ? (K extends Own ? R : never) : never;
/** A row for each tag of a result but those that say that it was done. */
type Refusals<R extends Tagged, Done extends R['kind'] = never> = {
  readonly [K in Exclude<R['kind'], Done>]: (result: Of<R, K>) => Problem;
};

/**
 * The result, when what was asked for was done.
 * @throws Problem that the table has for this result, when it was not.
 */
export function orProblem<R extends Tagged, K extends R['kind']>(
  result: R,
  refusals: { readonly [Tag in K]: (result: Of<R, Tag>) => Problem },
): Of<R, Exclude<R['kind'], K>> {
  const refuse: unknown = (refusals as Readonly<Record<string, unknown>>)[result.kind];
  if (typeof refuse === 'function') throw refuse(result);
  return result as Of<R, Exclude<R['kind'], K>>;
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const FREE = 'Delete ended jobs (DELETE /v1/jobs/{id}), or wait until they are erased by themselves.';

const QUOTAS: Readonly<Record<Quota, { is: (used: number) => string; todo: string }>> = {
  redis: { is: (used) => `The jobs of this tenant take ${used} bytes of the job store`, todo: FREE },
  stored: { is: (used) => `Inputs and results of this tenant take ${used} bytes of the object store`, todo: FREE },
  live: { is: (used) => `This tenant has ${used} jobs that have not ended`, todo: 'Wait until some have ended, or cancel some.' },
};

/** How long a caller waits before it tries again by itself. */
const QUOTA_RETRY_AFTER_S = 60;
/** A queue moves sooner than jobs end. */
const QUEUE_RETRY_AFTER_S = 15;

const quotaReached = ({ quota, limit, used }: Extract<Refused, { kind: 'quota' }>): Problem => {
  const { is, todo } = QUOTAS[quota];
  return new Problem('tenant_quota_exceeded', `${is(used)}; its limit is ${limit}. Nothing was accepted. ${todo}`, {
    headers: { 'Retry-After': String(QUOTA_RETRY_AFTER_S) },
    quota: { name: quota, limit, used },
  });
};

const queueFull = ({ limit, queued, more }: OverQueue): Problem => {
  const what = more === 1 ? 'This tenant' : `The batch has ${more} lines, and this tenant`;
  const fits = more <= limit;
  return new Problem(
    'tenant_queue_full',
    `${what} has ${queued} jobs that wait for their turn, of ${limit} that may. Nothing was accepted. ${fits ? 'Wait until some have begun, or cancel some.' : `So many lines never fit: send at most ${limit} in one batch.`}`,
    { headers: { 'Retry-After': String(QUEUE_RETRY_AFTER_S) }, quota: { name: 'queued', limit, used: queued } },
  );
};

const SPENT_IN: Readonly<Record<OverBudget['period'], string>> = { day: ' on this day', month: ' in this month', total: '' };

const budgetReached = ({ period, credits, spent, until }: OverBudget): Problem => {
  const free = until === null ? '' : `It is free again at ${new Date(until).toISOString()}; `;
  return new Problem(
    'budget_exceeded',
    `Calls of this tenant have cost ${spent} credits${SPENT_IN[period]}, with what is set aside, and its budget is ${credits}. Nothing was accepted. ${capitalized(`${free}an operator can raise it.`)}`,
  );
};

const keyReused = (): Problem =>
  new Problem(
    'idempotency_key_reused',
    'This Idempotency-Key was used for a request with another body. Use a new key for a new request.',
  );

const modelRefused = (refused: ModelRefused): Problem =>
  new Problem('model_not_allowed', `${capitalized(refusedModelText(refused))}. Nothing was accepted.`);

/** A tenant that may have no more. */
export const ROOM_REFUSALS: Refusals<Refused | ModelRefused> = {
  model: modelRefused,
  full: () => new Problem('unavailable', 'The job store is nearly full. Nothing was accepted; send the request again later.'),
  quota: quotaReached,
  queue: queueFull,
  budget: budgetReached,
};

export const FILE_REFUSALS: Refusals<FileKept, 'kept'> = {
  full: ROOM_REFUSALS.full,
  quota: quotaReached,
  budget: budgetReached,
  queue: ROOM_REFUSALS.queue,
  late: () => new Problem('unavailable', 'The file was held up for too long. Nothing was accepted; send it again.'),
};

const UPLOAD_REFUSALS: Refusals<UploadRefusal> = {
  invalid_images: ({ errors }) => invalid(errors),
  not_uploaded: ({ what }) =>
    new Problem(
      'unavailable',
      what === 'images'
        ? 'The input images could not be stored. Nothing was accepted; send the request again, or send the images as URLs.'
        : 'The input is over 32 KiB and could not be stored. Nothing was accepted; send the request again.',
    ),
};

export const JOB_REFUSALS: Refusals<JobRefusal> = {
  ...ROOM_REFUSALS,
  ...UPLOAD_REFUSALS,
  late: () => new Problem('unavailable', 'The request was held up for too long. Nothing was accepted; send it again.'),
  key_reused: keyReused,
  gone: ({ id }) => new Problem('not_found', `The job ${id} of this Idempotency-Key was deleted.`),
};

export const BATCH_REFUSALS: Refusals<BatchRefusal> = {
  ...UPLOAD_REFUSALS,
  full: () => new Problem('unavailable', 'The job store is nearly full. Nothing was accepted; send the batch again later.'),
  quota: quotaReached,
  queue: queueFull,
  budget: budgetReached,
  given_up: () => new Problem('unavailable', 'The batch took too long to arrive and was given up. Nothing was accepted.'),
  no_items: () => new Problem('invalid_request', 'The batch has no items; send at least one.', { invalidCount: 0 }),
  invalid_items: ({ count, errors }) =>
    new Problem(
      'invalid_request',
      `${count === 1 ? 'One item is' : `${count} items are`} not valid, so nothing was accepted; ${firstOf(errors)}`,
      { errors, invalidCount: count },
    ),
  key_in_use: () =>
    new Problem('idempotency_key_in_use', 'A request with this Idempotency-Key is being read. Send it again later.', {
      headers: { 'Retry-After': '5' },
    }),
  key_reused: keyReused,
  gone: ({ id }) => new Problem('not_found', `The batch ${id} of this Idempotency-Key is gone.`),
};

const busy = () => new Problem('unavailable', 'The job is changing too fast at this moment. Send the request again.');

export const CANCEL_REFUSALS: Refusals<Canceled, 'canceled' | 'canceling'> = {
  ended: ({ job }) => new Problem('conflict', `The job is ${job.status} already; there is nothing left to cancel.`),
  missing: noSuchJob,
  busy,
};

export const RETRY_REFUSALS: Refusals<Reopened, 'reopened'> = {
  refused: ({ plan }) => new Problem('conflict', plan.text),
  other_run: ({ job }) => new Problem('conflict', `The job is in its run ${job.run}; nothing was changed.`),
  full: () => new Problem('unavailable', 'The job store is nearly full. Nothing was changed; send the request again later.'),
  missing: noSuchJob,
  busy,
};

export const DELETE_REFUSALS: Refusals<Deleted, 'deleted'> = {
  missing: noSuchJob,
  not_ended: ({ status }) => new Problem('conflict', `The job is ${status}; cancel it and delete it when it has ended.`),
  reopened: () => new Problem('conflict', 'The job was reopened at this moment; it can be deleted when it has ended again.'),
  objects_left: () =>
    new Problem(
      'unavailable',
      'The stored results could not be deleted now, so the job stays; it is not run again. Send the request again.',
    ),
};

export const RESEND_REFUSALS: Refusals<Resent, 'resent'> = {
  missing: noSuchDelivery,
  under_way: () => new Problem('conflict', 'An attempt of this delivery is under way. It can be resent when that has ended.'),
  busy: () => new Problem('unavailable', 'The delivery is changing too fast at this moment. Send the request again.'),
};

export const RETRY_FAILED_REFUSALS: Refusals<RetriedFailed, 'retrying'> = {
  canceling: () => new Problem('conflict', 'The batch is being canceled.'),
  none_failed: () => new Problem('conflict', 'The batch has no failed jobs.'),
  all_unknown: ({ count }) =>
    new Problem(
      'conflict',
      `Of each failed job of the batch (${count}) nobody knows whether its submit made a task: send {"include_unknown": true} to submit them again, and maybe pay twice.`,
    ),
  already: () => new Problem('conflict', 'The failed jobs of this batch are being run again already.'),
  key_reused: keyReused,
  missing: noSuchBatch,
  busy: () => new Problem('unavailable', 'The batch is changing too fast at this moment. Send the request again.'),
};
