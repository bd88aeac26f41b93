import { isTerminal, type JobRecord, jobError, MAX_CRASHES } from '@grsai-jobs/jobs';
import type { Handler, QueueName, Work } from '@grsai-jobs/queue';
import { endRun, enqueueOwed, FIRST_LATE_LOOK_MS } from './end-run.ts';
import type { Kit } from './kit.ts';
import { repeatable } from './paid-call.ts';

/**
 * What a stage throws without meaning to, and a stall (its process died or froze), is a move: `crashes` + 1 and a new
 * entry; the fifth in one run ends the job (design §2).
 */
async function crash(kit: Kit, stage: QueueName, work: Work, kind: 'thrown' | 'stalled'): Promise<void> {
  kit.metrics.crashes.inc({ kind, stage });
  const record = await kit.store.jobs.read(work.entry.id);
  if (record === null) return;
  if (record.step !== work.entry.step || isTerminal(record.status)) return await addWhatIsNext(kit, record);
  if (record.crashes + 1 >= MAX_CRASHES) return await giveUp(kit, record, kind);
  // The lock of a dead process was wait enough, once. Who was in its hands again comes back at a time of its own: otherwise those who
  // did nothing would be there each time with the one that ends processes, and be set aside with it.
  const waitMs = kind === 'stalled' && record.crashes === 0 ? 0 : kit.backoff(record.crashes);
  const moved = await kit.store.moves.crash(record, { kind, waitMs });
  if (moved.kind === 'ok') await kit.producer.enqueue({ ...record, step: moved.step } satisfies JobRecord, waitMs);
}

/**
 * The process died, or threw, after its move and maybe before it had added the entry that comes next. Adding one that is
 * there changes nothing; without this the job would wait for `maintain`.
 */
async function addWhatIsNext(kit: Kit, record: JobRecord): Promise<void> {
  if (isTerminal(record.status)) await enqueueOwed(kit, record, record.status);
  else await kit.producer.enqueue(record);
}

/** An open call that may not be repeated can have been paid for, and a living task still ends: neither is forgotten. */
async function giveUp(kit: Kit, record: JobRecord, kind: 'thrown' | 'stalled'): Promise<void> {
  const stage = record.stage ?? 'queued';
  if (record.status === 'canceling') return void (await endRun(kit, record, { status: 'canceled', keepSent: true }));
  const open = record.sent !== null && !repeatable(record);
  const error = jobError(open ? 'submit_unknown' : kind === 'thrown' ? 'internal' : 'crashed', stage);
  const living = record.stage === 'generating' ? { lateLookAt: kit.clock.now() + FIRST_LATE_LOOK_MS } : {};
  await endRun(kit, record, { status: 'failed', error, keepSent: true, ...living });
}

export const onThrow =
  (kit: Kit, stage: QueueName) =>
  async (work: Work, err: unknown): Promise<void> => {
    kit.log.error(
      { event: 'job.crashed', err, stage, job_id: work.entry.id, step: work.entry.step },
      'a stage threw without meaning to',
    );
    await crash(kit, stage, work, 'thrown');
  };

/** A job's stage behind the count of its stalls. */
export const countingStalls =
  (kit: Kit, stage: QueueName, handler: Handler): Handler =>
  async (work) => {
    if (!work.stalled) return await handler(work);
    kit.log.warn(
      { event: 'job.stalled', stage, job_id: work.entry.id, step: work.entry.step },
      'the process that had this entry died or froze',
    );
    await crash(kit, stage, work, 'stalled');
    return { kind: 'done' };
  };
