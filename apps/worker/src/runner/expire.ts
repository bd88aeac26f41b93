import type { JobStore, Pause } from '@grsai-jobs/job-store';
import {
  entryStage,
  type FailureCode,
  FIRST_LATE_POLL_MS,
  hasLivingTask,
  type JobRecord,
  jobError,
  type PauseReason,
  type Transition,
} from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import { earlierAnswer, keepCompletion } from './kept-answer.ts';

export interface ExpireDeps {
  store: { pauses: Pick<JobStore['pauses'], 'all'> };
  clock: Clock;
}

/** The code of an attempt that met an overload. */
export const UPSTREAM_BUSY = 'upstream_busy';

/** Refusals that use up no attempt and so last until the job expires. */
const LASTING: readonly string[] = ['upstream_rate_limited', 'upstream_auth', 'upstream_balance'] satisfies FailureCode[];

/** What a job waited for whose queue is paused when it expires, so that operators see what to repair; its code is the first of them. */
const WAITED_FOR: readonly (readonly [reason: PauseReason, code: FailureCode, why: string])[] = [
  ['auth', 'upstream_auth', 'the upstream refused our key'],
  ['balance', 'upstream_balance', 'the upstream account had no credits'],
  ['upstream_refusal', 'upstream_unavailable', 'the upstream refused every call of its kind with a text that is not known'],
  ['upstream_rate_limit', 'upstream_rate_limited', 'the upstream limited our rate'],
  ['storage', 'deadline_exceeded', 'the object store took no writes'],
  ['upstream', 'deadline_exceeded', 'the upstream could not be reached'],
  ['operator', 'deadline_exceeded', 'an operator had paused its queue'],
];

/**
 * The end of a job past `expires_at`: the whole job is bounded. A refusal or a pause that lasted to the end is given as the reason. An answer that
 * an earlier call brought was paid for, and is the result.
 */
export async function expire(d: ExpireDeps, job: JobRecord): Promise<Transition> {
  const kept = earlierAnswer(job);
  if (kept !== undefined) return keepCompletion(job, kept, d.clock.now(), { callEnd: 'unknown', notBefore: job.expires_at });
  const { code, message } = job.status === 'queued' ? await reasonOfWait(d, job) : { code: 'deadline_exceeded' as const };
  const error = jobError(code, job.stage ?? 'queued', message === undefined ? {} : { message });
  const living = hasLivingTask(job) ? { latePollMs: FIRST_LATE_POLL_MS } : {};
  return { kind: 'finish', status: 'expired', error, notBefore: job.expires_at, ...living };
}

async function reasonOfWait(d: ExpireDeps, job: JobRecord): Promise<{ code: FailureCode; message?: string }> {
  const pauses = (await d.store.pauses.all())[entryStage(job.doc)] ?? [];
  const concerns = ({ model, tenant }: Pause) =>
    (model ?? job.doc.input.model) === job.doc.input.model && (tenant ?? job.tenant) === job.tenant;
  const held = WAITED_FOR.filter(([reason]) => pauses.some((pause) => pause.reason === reason && concerns(pause)));
  const why = held.map(([, , text]) => text).join(', and ');
  if (held[0]) return { code: held[0][1], message: `The job expired while it waited: ${why}. Retry when that is over.` };
  const last = job.attempts.at(-1);
  const of = last?.run === job.run ? (last.error_code ?? '') : '';
  if (of === UPSTREAM_BUSY)
    return { code: 'upstream_unavailable', message: 'The job expired while the upstream was overloaded. Retry later.' };
  return { code: LASTING.includes(of) ? (of as FailureCode) : 'deadline_exceeded' };
}
