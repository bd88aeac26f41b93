import type { Created, Idempotency, JobStore, MemoryWatch, Refused } from '@grsai-jobs/job-store';
import { isLargeInput, type JobDoc, type JobRecord, type JobRequest, jobId, messageOf, waitsInRoom } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import { redisTrouble } from '@grsai-jobs/redis';
import type { Clock, Logger, SliceQueue, Slices } from '@grsai-jobs/runtime';
import { fingerprintOf } from './fingerprint.ts';
import type { ModelCatalogue } from './model-catalogue.ts';
import { type ModelRefused, refusedModel, type TenantRulesOf } from './tenant-limits.ts';
import type { UploadInputs, UploadRefusal } from './upload-inputs.ts';

export type CreateJob = (
  request: JobRequest,
  from: {
    tenant: string;
    /** The API key that sends it. */
    keyId: string;
    requestId: string;
    body: unknown;
    idempotencyKey?: string;
    /** What an Idempotency-Key belongs to; `POST /v1/jobs` unless said. */
    route?: string;
    origin?: JobDoc['origin'];
    /** Of the job, where it was promised before. */
    id?: string;
  },
) => Promise<{ kind: 'accepted'; record: JobRecord; replayed: boolean } | JobRefusal>;

/** Why a request made no job. Nothing of it was kept. */
export type JobRefusal =
  /** `full`: Redis is nearly full. `quota`: a limit of the tenant is reached. */
  | Refused
  | ModelRefused
  | UploadRefusal
  /** The request took so long that its uploaded inputs are being deleted. */
  | { kind: 'late' }
  /** The Idempotency-Key belongs to another request. */
  | { kind: 'key_reused' }
  /** The job of the Idempotency-Key is gone. */
  | { kind: 'gone'; id: string };

/** What a job does when the answer of its paid call is lost, unless the caller says. */
export type UnknownSubmitDefaults = Readonly<Record<JobRequest['type'], JobDoc['on_unknown_submit']>>;

type Sender = Parameters<CreateJob>[1];
type Known = Extract<Created, { kind: 'replay' | 'conflict' }>;
type Made = Extract<Created, { kind: 'ok' }> | Known | JobRefusal;

const idempotencyOf = async (
  { idempotencyKey: key, body, route = 'POST /v1/jobs' }: Sender,
  slices: Slices,
): Promise<Idempotency | undefined> => (key ? { route, key, fingerprint: await fingerprintOf(body, slices) } : undefined);

/**
 * Makes a request a record that cannot be lost, then adds its queue entry. Once the record is written the answer is
 * yes, also when the entry could not be added: a periodic task adds it within 40 s (design.md §2.6).
 */
export function createCreateJob(o: {
  store: Pick<JobStore, 'jobs' | 'usage'>;
  create: JobStore['transitions']['create'];
  /** A caller hears that its job was accepted, which was made for an earlier request with the same key. */
  told: (id: string) => void;
  producer: Producer;
  defaults: UnknownSubmitDefaults;
  newUlid: (now: number) => string;
  uploadInputs: UploadInputs;
  memory: Pick<MemoryWatch, 'tight'>;
  tenants: Pick<TenantRulesOf, 'rules' | 'allowance'>;
  catalogue: Pick<ModelCatalogue, 'price' | 'fallbackPrices'>;
  slices: SliceQueue;
  clock: Clock;
  log: Logger;
}): CreateJob {
  /** The answer to a key that is known already. */
  async function again(known: Known): ReturnType<CreateJob> {
    if (known.kind === 'conflict') return { kind: 'key_reused' };
    const record = await o.store.jobs.read(known.id);
    if (record === null) return { kind: 'gone', id: known.id };
    o.told(record.id);
    // The first request may have died between record and entry; adding twice is harmless.
    if (record.status === 'queued' && record.step === 1 && !waitsInRoom(record))
      await o.producer.enqueue(messageOf(record)).catch(() => undefined);
    return { kind: 'accepted', record, replayed: true };
  }

  /** Stores what is large of it, and writes the record; nothing is left of one that makes no job. */
  async function make(
    asked: JobDoc,
    job: Pick<JobRecord, 'id' | 'tenant' | 'created_at' | 'price' | 'key_id'>,
    idempotency?: Idempotency,
  ): Promise<Made> {
    if (o.memory.tight()) return { kind: 'full' };
    const allowance = await o.tenants.allowance(job.tenant);
    // Nothing is stored for a tenant that may bring nothing more.
    const refused = isLargeInput(asked) ? await o.store.usage.check(job.tenant, allowance) : null;
    if (refused !== null) return refused;
    const uploaded = await o.uploadInputs(asked, job);
    if (uploaded.kind !== 'uploaded') return uploaded;
    const { doc, note, discard } = uploaded;
    const created = await o
      .create({
        id: job.id,
        tenant: job.tenant,
        doc,
        price: job.price,
        keyId: job.key_id,
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
    const asked: JobDoc = {
      ...request,
      on_unknown_submit: request.on_unknown_submit ?? o.defaults[request.type],
      ...o.catalogue.fallbackPrices(request),
      ...(from.origin === undefined ? {} : { origin: from.origin }),
    };
    const id = from.id ?? jobId(o.newUlid(now));
    const idempotency = await idempotencyOf(from, o.slices.of(from.tenant));
    const refused = refusedModel(await o.tenants.rules(from.tenant), request);
    // A replay needs no room in Redis, no object store and no leave, so it is not answered that nothing was accepted.
    const early = idempotency && (o.memory.tight() || isLargeInput(asked) || refused !== null);
    const known = early ? await o.store.jobs.ofKey(from.tenant, idempotency) : null;
    if (known !== null) return await again(known);
    if (refused !== null) return refused;
    const made = await make(
      asked,
      { id, tenant: from.tenant, created_at: now, price: o.catalogue.price(request), key_id: from.keyId },
      idempotency,
    );
    if (made.kind === 'replay' || made.kind === 'conflict') return await again(made);
    if (made.kind !== 'ok') return made;
    const { job, message } = made;
    const added = message === null ? null : o.producer.enqueue(message);
    await added?.catch((err: unknown) => {
      o.log.warn(
        { event: 'job.entry_missing', err, job_id: id, request_id: from.requestId, queue: message?.queue },
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
