import type { Batches } from '@grsai-jobs/job-store';
import {
  type BatchRecord,
  type JobRecord,
  type SignLink,
  type StoredImage,
  TERMINAL,
  type TerminalStatus,
} from '@grsai-jobs/jobs';
import { base64Of, type FetchedObject, type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import { batchRows } from '../../use-cases/batch-rows.ts';
import type { Output } from '../../use-cases/file-batches.ts';
import type { ReadCompletion } from '../../use-cases/read-completion.ts';
import { openAiCompletion } from './chat-answer.ts';
import { type OpenAiError, openAiBody } from './errors.ts';
import { endError, grsaiOf } from './held-jobs.ts';

export interface BatchOutputDeps {
  batches: Pick<Batches, 'jobIds' | 'heads' | 'records' | 'positionBehind'>;
  objects: Pick<ObjectStore, 'get'>;
  readCompletion: ReadCompletion;
  sign: SignLink;
}

/** How long the store may take to the first byte of an image. */
const TO_FIRST_BYTE_MS = 10_000;

const STATUSES: Readonly<Record<Output, readonly TerminalStatus[]>> = {
  output: ['succeeded'],
  errors: TERMINAL.filter((status) => status !== 'succeeded'),
};

/** Jobs without an answer, by the codes of OpenAI. */
const UNANSWERED: Readonly<Partial<Record<TerminalStatus, { code: string; message: string }>>> = {
  canceled: { code: 'batch_cancelled', message: 'This request was not answered before the batch was cancelled.' },
  expired: { code: 'batch_expired', message: 'This request could not be executed before the completion window expired.' },
};

/** What stands around the body of an answer in its line. */
function around(job: JobRecord, status: number): { head: string; tail: string } {
  const { id, custom_id } = job;
  const named = JSON.stringify({ id: `batch_req_${id.slice(4)}`, custom_id });
  return {
    head: `${named.slice(0, -1)},"response":{"status_code":${status},"request_id":${JSON.stringify(id)},"body":`,
    tail: '},"error":null}\n',
  };
}

function errorLine(job: JobRecord): string {
  const unanswered = UNANSWERED[job.status as TerminalStatus];
  if (unanswered !== undefined) {
    const { id, custom_id } = job;
    return `${JSON.stringify({ id: `batch_req_${id.slice(4)}`, custom_id, response: null, error: unanswered })}\n`;
  }
  return refusalLine(job, endError(job));
}

function refusalLine(job: JobRecord, error: OpenAiError): string {
  const { head, tail } = around(job, error.status);
  return head + JSON.stringify({ ...openAiBody(error), grsai: grsaiOf([job]) }) + tail;
}

/** One answer that is gone, by a rule of the bucket, must not keep all others from being read. */
const goneLine = (job: JobRecord): string =>
  refusalLine(job, {
    status: 400,
    code: 'result_unavailable',
    message: 'The answer was stored and is gone from the object store.',
  });

const open = async (o: BatchOutputDeps, { key }: StoredImage): Promise<FetchedObject> =>
  await o.objects.get(key, { signal: AbortSignal.timeout(TO_FIRST_BYTE_MS) });

const isGone = (error: unknown): boolean => error instanceof ObjectStoreError && error.code === 'not_found';

const createdOf = (job: JobRecord): number => Math.floor((job.finished_at ?? job.created_at) / 1000);

async function* imageLine(
  o: BatchOutputDeps,
  job: JobRecord,
  images: readonly StoredImage[],
): AsyncGenerator<string | Uint8Array> {
  const [image] = images;
  const isBase64 = job.doc.images_as === 'b64_json' && image !== undefined;
  const first = isBase64
    ? await open(o, image).catch((error: unknown) => (isGone(error) ? null : Promise.reject(error)))
    : undefined;
  if (first === null) return yield goneLine(job);
  try {
    const { head, tail } = around(job, 200);
    yield `${head}{"created":${createdOf(job)},"data":[`;
    for (const [n, each] of images.entries()) {
      if (n > 0) yield ',';
      if (!isBase64) {
        yield JSON.stringify({ url: (await o.sign(each.key, job.doc.output.url_ttl_s)).url });
        continue;
      }
      const { body } = n === 0 && first ? first : await open(o, each);
      yield '{"b64_json":"';
      yield* base64Of(body as AsyncIterable<Uint8Array>);
      yield '"}';
    }
    yield `],"grsai":${JSON.stringify(grsaiOf([job]))}}${tail}`;
  } finally {
    first?.body.destroy();
  }
}

async function* answerLine(o: BatchOutputDeps, job: JobRecord): AsyncGenerator<string | Uint8Array> {
  const { output } = job;
  if (output?.kind === 'images') return yield* imageLine(o, job, output.images);
  const found = output === null ? null : await o.readCompletion(output);
  if (found?.kind === 'gone') return yield goneLine(job);
  if (found?.kind !== 'read') throw new Error(`the answer of ${job.id} cannot be read`);
  const { head, tail } = around(job, 200);
  const body = openAiCompletion(found.completion, { id: job.id, model: job.doc.input.model, created: createdOf(job) });
  yield head + JSON.stringify({ ...body, grsai: grsaiOf([job]) }) + tail;
}

/** The lines of what a batch puts out, made as they are read, in constant memory. */
export async function* outputPieces(o: BatchOutputDeps, batch: BatchRecord, output: Output): AsyncGenerator<string | Uint8Array> {
  for await (const jobs of batchRows(o.batches, batch, { afterLine: 0, status: STATUSES[output] }))
    for (const job of jobs) {
      if (output === 'output') yield* answerLine(o, job);
      else yield errorLine(job);
    }
}
