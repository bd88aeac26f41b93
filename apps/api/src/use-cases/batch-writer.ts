import type { Batches, InputNotes, MemoryWatch, NewLine, Refused } from '@grsai-jobs/job-store';
import { type JobDoc, type JobRequest, jobId } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import type { FieldError } from '../validation/validate.ts';
import type { UnknownSubmitDefaults } from './create-job.ts';
import type { ModelCatalogue } from './model-catalogue.ts';
import type { ItemExtras } from './read-item.ts';
import type { TenantRulesOf } from './tenant-limits.ts';
import { standsAsSent, type UploadedInputs, type UploadInputs, type UploadRefusal } from './upload-inputs.ts';

const CHUNK_LINES = 500;
const CHUNK_BYTES = 1024 * 1024;
/** So many items of a chunk have their pictures uploaded at once. */
const UPLOADS_AT_ONCE = 8;

/** A checked item. `bytes` is about what it takes in memory. */
interface GoodItem {
  line: number;
  bytes: number;
  customId: string;
  request: JobRequest;
  more?: ItemExtras | undefined;
}

export interface BatchWriter {
  /** Takes an item over. A promise is to be waited for before the next one: two chunks are on their way. */
  put(item: GoodItem): Promise<void> | undefined;
  /** Writes what is left; answers how many items were written in all. */
  end(): Promise<number>;
  /** Waits until nothing is on its way any more. Never rejects. */
  settled(): Promise<void>;
}

export interface WriterParts {
  batches: Pick<Batches, 'add'>;
  uploadInputs: UploadInputs;
  inputNotes: Pick<InputNotes, 'forget'>;
  memory: Pick<MemoryWatch, 'tight'>;
  tenants: Pick<TenantRulesOf, 'allowance'>;
  catalogue: Pick<ModelCatalogue, 'price' | 'fallbackPrices'>;
  defaults: UnknownSubmitDefaults;
  newUlid: (now: number) => string;
  clock: Clock;
}

/** Why a body made no batch. Nothing of it was kept. */
export type BatchRefusal =
  /** `full`: Redis is nearly full. `quota`: a limit of the tenant is reached. */
  | Refused
  | UploadRefusal
  /** It took too long to arrive. */
  | { kind: 'given_up' }
  | { kind: 'no_items' }
  /** `count` lines are wrong; `errors` has the first of their fields. */
  | { kind: 'invalid_items'; count: number; errors: readonly FieldError[] }
  /** A request with this Idempotency-Key is being read. */
  | { kind: 'key_in_use' }
  /** The Idempotency-Key belongs to another request. */
  | { kind: 'key_reused' }
  /** The batch of the Idempotency-Key is gone. */
  | { kind: 'gone'; id: string };

/** Ends the intake of a batch wherever it stands; `createBatch` answers the refusal. */
export class BatchRefused extends Error {
  override readonly name = 'BatchRefused';
  readonly refusal: BatchRefusal;

  constructor(refusal: BatchRefusal) {
    super(refusal.kind);
    this.refusal = refusal;
  }
}

/**
 * Writes the items of one batch as records that nobody sees yet, in chunks and in order. While one chunk is on its way the
 * next is filled, no more: so a slow Redis slows the sender down.
 * @throws BatchRefused from `put` and `end` when a chunk could not be written; its pictures are gone then.
 */
export function createBatchWriter(o: WriterParts, batch: { id: string; tenant: string; keyId: string }): BatchWriter {
  let chunk: GoodItem[] = [];
  let bytes = 0;
  let written = 0;
  let onItsWay = Promise.resolve();

  function lineOf({ line, customId, request, more }: GoodItem, now: number): NewLine {
    const doc: JobDoc = {
      ...request,
      ...more,
      on_unknown_submit: request.on_unknown_submit ?? o.defaults[request.type],
      ...o.catalogue.fallbackPrices(request),
    };
    return { jobId: jobId(o.newUlid(now)), line, customId, doc, price: o.catalogue.price(request) };
  }

  /** Items as lines of the batch. What is large of them is stored; most have nothing, and nothing is waited for then. */
  async function upload(items: readonly GoodItem[]) {
    const now = o.clock.now();
    const lines = items.map((item) => lineOf(item, now));
    const uploads: UploadedInputs[] = [];
    const discard = async () => void (await Promise.all(uploads.map((each) => each.discard())));
    const left = lines.filter(({ doc }) => !standsAsSent(doc)).values();
    const work = async () => {
      for (const line of left) {
        const uploaded = await o.uploadInputs(line.doc, { id: line.jobId, tenant: batch.tenant, created_at: now });
        if (uploaded.kind !== 'uploaded') throw new BatchRefused(uploaded);
        uploads.push(uploaded);
        line.doc = uploaded.doc;
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: UPLOADS_AT_ONCE }, work));
    const failed = ended.find((each) => each.status === 'rejected');
    if (failed) {
      await discard();
      throw failed.reason;
    }
    return { lines, notes: uploads.flatMap(({ note }) => note ?? []), discard };
  }

  async function write(items: readonly GoodItem[]): Promise<void> {
    if (o.memory.tight()) throw new BatchRefused({ kind: 'full' });
    const { lines, notes, discard } = await upload(items);
    try {
      const added = await o.batches.add(batch, written, lines, await o.tenants.allowance(batch.tenant));
      if (added === 'gone') throw new BatchRefused({ kind: 'given_up' });
      if (added !== 'ok') throw new BatchRefused(added);
    } catch (error) {
      await discard();
      throw error;
    }
    written += lines.length;
    // A note that stays is forgotten by `maintain`: the record is there.
    await o.inputNotes.forget(notes).catch(() => undefined);
  }

  async function send(): Promise<void> {
    const items = chunk;
    chunk = [];
    bytes = 0;
    await onItsWay;
    onItsWay = write(items);
    // A failure is thrown to whoever waits for it next; until then it is nobody's.
    onItsWay.catch(() => undefined);
  }

  return {
    put(item) {
      chunk.push(item);
      bytes += item.bytes;
      return chunk.length === CHUNK_LINES || bytes >= CHUNK_BYTES ? send() : undefined;
    },
    async end() {
      if (chunk.length > 0) await send();
      await onItsWay;
      return written;
    },
    settled: () => onItsWay.catch(() => undefined),
  };
}
