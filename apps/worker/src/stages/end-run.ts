import { type EndOfRun, endDelivery, type FirstAttempt, type Moved, type Pause, type Placed } from '@grsai-jobs/job-store';
import {
  entryStage,
  type FailureCode,
  type JobError,
  type JobRecord,
  jobError,
  type PauseReason,
  type TerminalStatus,
} from '@grsai-jobs/jobs';
import type { Kit } from './kit.ts';

/** A task that outlives its run is looked at again soon, then slowly. */
export const FIRST_LATE_LOOK_MS = 60_000;

/** Ends a run and sends its owed webhook on its way. Whoever comes second gets `stale` or `wrong` and changes nothing. */
export function endRun(kit: Kit, record: JobRecord, end: EndOfRun): Promise<Moved> {
  return finishRun(kit, record, end, (attempt) => kit.store.moves.end(record, { ...end, attempt }));
}

/**
 * The same with the move as the caller makes it: with the token of the webhook's first attempt, which this process makes at once
 * where it has a place for it and nothing speaks against it.
 */
export async function finishRun(
  kit: Kit,
  record: JobRecord,
  end: EndOfRun,
  move: (attempt: FirstAttempt) => Promise<Moved>,
): Promise<Moved> {
  const reserved = endDelivery(record, end.status) === null ? null : kit.deliveries.reserve(record.tenant);
  let placed: Placed = { kind: 'none' };
  try {
    const moved = await move(reserved?.attempt ?? {});
    if (moved.kind !== 'ok') return moved;
    placed = moved.placed;
    noteEnd(kit, record, end);
    if (placed.kind === 'entry') await enqueueOwed(kit, record, end.status);
    return moved;
  } finally {
    reserved?.use(placed);
  }
}

function noteEnd(kit: Kit, record: JobRecord, end: EndOfRun): void {
  kit.metrics.ended.inc({ type: record.doc.type, status: end.status, code: end.error?.code ?? '' });
  kit.log.info(
    {
      event: 'job.ended',
      job_id: record.id,
      tenant: record.tenant,
      status: end.status,
      code: end.error?.code,
      run: record.run,
      duration_ms: kit.clock.now() - record.created_at,
    },
    `job ${end.status}`,
  );
}

/** The entry of the webhook that the end of this run owes; `maintain` adds it when we die before this. */
export async function enqueueOwed(kit: Pick<Kit, 'producer'>, record: JobRecord, status: TerminalStatus): Promise<void> {
  const owed = endDelivery(record, status);
  if (owed !== null) await kit.producer.enqueueDelivery(owed);
}

/** Ends a run as failed with one of the known codes. */
export function failRun(
  kit: Kit,
  record: JobRecord,
  code: FailureCode,
  more: Omit<EndOfRun, 'status' | 'error' | 'output'> & { message?: string; upstream?: JobError['upstream'] } = {},
): Promise<Moved> {
  const { message, upstream, ...end } = more;
  const error = jobError(code, record.stage ?? 'queued', { ...(message ? { message } : {}), ...(upstream ? { upstream } : {}) });
  return endRun(kit, record, { ...end, status: 'failed', error });
}

/** The code of an attempt that met an overload. */
export const UPSTREAM_BUSY = 'upstream_busy';

/** Refusals that cost no attempt and so last until the job expires (design §2). */
const LASTING: readonly string[] = ['upstream_rate_limited', 'upstream_auth', 'upstream_balance'] satisfies FailureCode[];

/** What a job waited for whose queue is paused when it expires, so that operators see what to mend; its code is the first of them. */
const WAITED_FOR: readonly (readonly [reason: PauseReason, code: FailureCode, why: string])[] = [
  ['auth', 'upstream_auth', 'the upstream refused our key'],
  ['balance', 'upstream_balance', 'the upstream account had no credits'],
  ['upstream_refusal', 'upstream_unavailable', 'the upstream refused every call of its kind with a text that is not known'],
  ['upstream_rate_limit', 'upstream_rate_limited', 'the upstream limited our rate'],
  ['storage', 'deadline_exceeded', 'the object store took no writes'],
  ['upstream', 'deadline_exceeded', 'the upstream could not be reached'],
  ['operator', 'deadline_exceeded', 'an operator had paused its queue'],
];

/** Past `expires_at`: the whole job is bounded. A refusal or a pause that lasted to the end is told as the reason. */
export async function expireRun(kit: Kit, record: JobRecord): Promise<Moved> {
  const { code, message } = record.status === 'queued' ? await reasonOfWait(kit, record) : { code: 'deadline_exceeded' as const };
  const living = record.stage === 'generating' ? { lateLookAt: kit.clock.now() + FIRST_LATE_LOOK_MS } : {};
  const error = jobError(code, record.stage ?? 'queued', message === undefined ? {} : { message });
  return await endRun(kit, record, { status: 'expired', error, ...living });
}

async function reasonOfWait(kit: Kit, record: JobRecord): Promise<{ code: FailureCode; message?: string }> {
  const pauses = (await kit.store.pauses.all())[entryStage(record.doc)] ?? [];
  const concerns = ({ model, tenant }: Pause) =>
    (model ?? record.doc.input.model) === record.doc.input.model && (tenant ?? record.tenant) === record.tenant;
  const held = WAITED_FOR.filter(([reason]) => pauses.some((pause) => pause.reason === reason && concerns(pause)));
  const why = held.map(([, , text]) => text).join(', and ');
  if (held[0]) return { code: held[0][1], message: `The job expired while it waited: ${why}. Retry when that is over.` };
  const last = record.attempts.at(-1);
  const of = last?.run === record.run ? (last.error_code ?? '') : '';
  if (of === UPSTREAM_BUSY)
    return { code: 'upstream_unavailable', message: 'The job expired while the upstream was overloaded. Retry later.' };
  return { code: LASTING.includes(of) ? (of as FailureCode) : 'deadline_exceeded' };
}
