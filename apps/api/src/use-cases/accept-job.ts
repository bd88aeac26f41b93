import { createHash } from 'node:crypto';
import type { Created, Idempotency, JobStore, MemoryWatch, Refused } from '@grsai-jobs/job-store';
import { isLargeInput, type JobDoc, type JobRecord, type JobRequest, jobId, jsonPieces, messageOf } from '@grsai-jobs/jobs';
import { type Producer, redisTrouble } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import { createSlices } from './slices.ts';
import type { AllowanceOf } from './tenant-limits.ts';
import type { UploadInputs, UploadRefusal } from './upload-inputs.ts';

export type AcceptJob = (
  request: JobRequest,
  from: { tenant: string; requestId: string; body: unknown; idempotencyKey?: string },
) => Promise<{ kind: 'accepted'; record: JobRecord; replayed: boolean } | JobRefusal>;

/** Why a request made no job. Nothing of it was kept. */
export type JobRefusal =
  /** `full`: Redis is nearly full. `quota`: a limit of the tenant is reached. */
  | Refused
  | UploadRefusal
  /** The request took so long that its uploaded inputs are being deleted. */
  | { kind: 'late' }
  /** The Idempotency-Key belongs to another request. */
  | { kind: 'key_reused' }
  /** The job of the Idempotency-Key is gone. */
  | { kind: 'gone'; id: string };

/** What a job does when the answer of its paid call is lost, unless the caller says. */
export type UnknownSubmitDefaults = Readonly<Record<JobRequest['type'], JobDoc['on_unknown_submit']>>;

/** Of the request whatever the order of its keys; other requests have a turn meanwhile. */
async function fingerprintOf(body: unknown): Promise<string> {
  const hash = createHash('sha256');
  const slices = createSlices();
  for (const piece of jsonPieces(body, { sorted: true })) {
    hash.update(piece);
    if (slices.over()) await slices.next();
  }
  return hash.digest('hex');
}

type Sender = Parameters<AcceptJob>[1];
type Known = Extract<Created, { kind: 'replay' | 'conflict' }>;
type Made = Extract<Created, { kind: 'ok' }> | Known | JobRefusal;

const idempotencyOf = async ({ idempotencyKey: key, body }: Sender): Promise<Idempotency | undefined> =>
  key ? { route: 'POST /v1/jobs', key, fingerprint: await fingerprintOf(body) } : undefined;

/**
 * Makes a request a record that cannot be lost, then adds its queue entry. Once the record is written the answer is
 * yes, also when the entry could not be added: a periodic task adds it within 40 s (design.md §2.6).
 */
export function createAcceptJob(o: {
  store: JobStore;
  producer: Producer;
  defaults: UnknownSubmitDefaults;
  newUlid: (now: number) => string;
  uploadInputs: UploadInputs;
  memory: Pick<MemoryWatch, 'tight'>;
  allowanceOf: AllowanceOf;
  clock: Clock;
  log: Logger;
}): AcceptJob {
  /** The answer to a key that is known already. */
  async function again(known: Known): ReturnType<AcceptJob> {
    if (known.kind === 'conflict') return { kind: 'key_reused' };
    const record = await o.store.jobs.read(known.id);
    if (record === null) return { kind: 'gone', id: known.id };
    // The first request may have died between record and entry; adding twice is harmless.
    if (record.status === 'queued' && record.step === 1) await o.producer.enqueue(messageOf(record)).catch(() => undefined);
    return { kind: 'accepted', record, replayed: true };
  }

  /** Stores what is large of it, and writes the record; nothing is left of one that makes no job. */
  async function make(
    asked: JobDoc,
    job: Pick<JobRecord, 'id' | 'tenant' | 'created_at'>,
    idempotency?: Idempotency,
  ): Promise<Made> {
    if (o.memory.tight()) return { kind: 'full' };
    const allowance = o.allowanceOf(job.tenant);
    // Nothing is stored for a tenant that may bring nothing more.
    const refused = isLargeInput(asked) ? await o.store.usage.check(job.tenant, allowance) : null;
    if (refused !== null) return refused;
    const uploaded = await o.uploadInputs(asked, job);
    if (uploaded.kind !== 'uploaded') return uploaded;
    const { doc, note, discard } = uploaded;
    const created = await o.store.transitions
      .create({
        id: job.id,
        tenant: job.tenant,
        doc,
        createdAt: job.created_at,
        allowance,
        ...(idempotency ? { idempotency } : {}),
        ...(note ? { inputs: note } : {}),
      })
      .catch(async (error: unknown) => {
        // Only where nothing can have been accepted: a job without its inputs would be worse than inputs without a job.
        const trouble = redisTrouble(error);
        if (trouble === 'away' || trouble === 'full') await discard();
        throw error;
      });
    if (created.kind !== 'ok') await discard();
    return created;
  }

  return async (request, from) => {
    const now = o.clock.now();
    const asked: JobDoc = { ...request, on_unknown_submit: request.on_unknown_submit ?? o.defaults[request.type] };
    const id = jobId(o.newUlid(now));
    const idempotency = await idempotencyOf(from);
    // A replay needs no room in Redis and no object store, so it is not told that nothing was accepted because they are full or away.
    const early = idempotency && (o.memory.tight() || isLargeInput(asked));
    const known = early ? await o.store.jobs.ofKey(from.tenant, idempotency) : null;
    if (known !== null) return await again(known);
    const made = await make(asked, { id, tenant: from.tenant, created_at: now }, idempotency);
    if (made.kind === 'replay' || made.kind === 'conflict') return await again(made);
    if (made.kind !== 'ok') return made;
    const { job, message } = made;
    await o.producer.enqueue(message).catch((err: unknown) => {
      o.log.warn(
        { event: 'job.entry_missing', err, job_id: id, request_id: from.requestId, queue: message.queue },
        'accepted; a periodic task adds its queue entry',
      );
    });
    // The line of the request says the same; this one is for whoever follows a single job.
    o.log.debug(
      {
        event: 'job.accepted',
        job_id: id,
        request_id: from.requestId,
        tenant: from.tenant,
        type: job.doc.type,
        model: job.doc.input.model,
      },
      'job accepted',
    );
    return { kind: 'accepted', record: job, replayed: false };
  };
}
