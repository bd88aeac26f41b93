import { viewJobCost } from './cost/cost.ts';
import type { JobDoc } from './doc.ts';
import { FAILURES, type FailureCode } from './failures.ts';
import { onModel } from './fallback.ts';
import { viewInput } from './inputs.ts';
import type { Attempt, JobError, JobOutput, JobRecord } from './job/job.ts';
import { isTerminal } from './job/states.ts';
import { rfc3339 } from './rfc3339.ts';
import { viewWaiting, type Waiting } from './waiting.ts';

/** Makes a signed GET link for an object key that lives `ttlS` seconds, or less. `expiresAt`: ms since 1970. */
export type SignLink = (key: string, ttlS: number) => Promise<{ readonly url: string; readonly expiresAt: number }>;

/** A link as it is shown. */
export async function linkView(key: string, ttlS: number, sign: SignLink) {
  const { url, expiresAt } = await sign(key, ttlS);
  return { url, expires_at: rfc3339(expiresAt) };
}

/** The error object of a failed run; message and retryable come from the one table unless the caller knows better. */
export function jobError(
  code: FailureCode,
  stage: JobError['stage'],
  more: { message?: string; upstream?: JobError['upstream'] } = {},
): JobError {
  const { message, retryable } = FAILURES[code];
  return { code, message: more.message ?? message, retryable, stage, ...(more.upstream ? { upstream: more.upstream } : {}) };
}

const attemptView = (attempt: Attempt) => ({
  ...attempt,
  started_at: rfc3339(attempt.started_at),
  ended_at: rfc3339(attempt.ended_at),
});

/** What a run left as callers see it, with links signed for `ttlS` seconds. */
export async function resultView(output: JobOutput | null, ttlS: number, sign: SignLink): Promise<unknown> {
  if (output === null) return null;
  if (output.kind === 'chat') return output.completion;
  if (output.kind === 'chat_file') {
    const { key, bytes, sha256 } = output;
    return { ...(await linkView(key, ttlS, sign)), content_type: 'application/json', bytes, sha256, key };
  }
  const images = output.images.map(async (image) => ({ ...image, ...(await linkView(image.key, ttlS, sign)) }));
  return { images: await Promise.all(images), ...(output.lost === undefined ? {} : { lost: output.lost }) };
}

/** An input that stands in the object store is not read for each answer. */
const inputView = (doc: JobDoc) =>
  doc.stored_input ? { input: null, input_truncated: true as const } : { input: viewInput(onModel(doc, 0)) };

/**
 * A job as callers see it. Links of outputs are signed afresh each time. `error` keeps only
 * what helps; the key of the upstream is never in a record. `waiting`: why it does, where somebody has asked.
 */
export async function viewJob(record: JobRecord, sign: SignLink, waiting?: Waiting | null) {
  const { doc } = record;
  const self = `/v1/jobs/${record.id}`;
  return {
    id: record.id,
    object: 'job' as const,
    type: doc.type,
    origin: doc.origin ?? ('v1' as const),
    status: record.status,
    stage: record.stage,
    waiting: viewWaiting(waiting),
    run: record.run,
    model: doc.input.model,
    ...(doc.fallback_models === undefined ? {} : { fallback_models: doc.fallback_models }),
    ...inputView(doc),
    ...(doc.type === 'image' ? { via: doc.via, resubmit_failed: doc.resubmit_failed } : {}),
    metadata: doc.metadata,
    priority: doc.priority,
    on_unknown_submit: doc.on_unknown_submit,
    max_attempts: doc.max_attempts,
    progress: record.progress,
    result: await resultView(record.output, doc.output.url_ttl_s, sign),
    error: record.error,
    cost: viewJobCost(record),
    attempts: record.attempts.map(attemptView),
    upstream:
      record.task === null
        ? null
        : {
            base: record.task.base,
            task_id: record.task.id,
            submitted_at: rfc3339(record.task.submitted_at),
            polls: record.task.polls,
            last_polled_at: rfc3339(record.task.last_polled_at),
          },
    webhook: doc.webhook
      ? { ...doc.webhook, state: record.webhook.state, last_delivery_id: record.webhook.last_delivery_id }
      : { url: null, events: [], state: 'none' as const, last_delivery_id: null },
    batch_id: record.batch_id,
    custom_id: record.custom_id,
    late_result: record.late_result,
    created_at: rfc3339(record.created_at),
    started_at: rfc3339(record.started_at),
    finished_at: rfc3339(record.finished_at),
    expires_at: rfc3339(record.expires_at),
    links: {
      self,
      ...(isTerminal(record.status) ? {} : { cancel: `${self}/cancel` }),
      events: `${self}/events`,
      deliveries: `/v1/webhook-deliveries?job_id=${record.id}`,
      ...(record.batch_id === null ? {} : { batch: `/v1/batches/${record.batch_id}` }),
    },
  };
}

export type JobView = Awaited<ReturnType<typeof viewJob>>;
