import type { Batches } from '@grsai-jobs/job-store';
import {
  type BatchRecord,
  type JobRecord,
  type SignLink,
  type StoredImage,
  TERMINAL,
  type TerminalStatus,
} from '@grsai-jobs/jobs';
import { base64Of, type ObjectStore } from '@grsai-jobs/object-store';
import { batchRows } from '../../use-cases/batch-rows.ts';
import type { Output } from '../../use-cases/file-batches.ts';
import type { ReadCompletion } from '../../use-cases/read-completion.ts';
import { openAiCompletion } from './chat-answer.ts';
import { openAiBody } from './errors.ts';
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
  const error = endError(job);
  const { head, tail } = around(job, error.status);
  return head + JSON.stringify({ ...openAiBody(error), grsai: grsaiOf([job]) }) + tail;
}

const createdOf = (job: JobRecord): number => Math.floor((job.finished_at ?? job.created_at) / 1000);

async function* imageLine(
  o: BatchOutputDeps,
  job: JobRecord,
  images: readonly StoredImage[],
): AsyncGenerator<string | Uint8Array> {
  const { head, tail } = around(job, 200);
  yield `${head}{"created":${createdOf(job)},"data":[`;
  for (const [n, image] of images.entries()) {
    if (n > 0) yield ',';
    if (job.doc.images_as !== 'b64_json') {
      yield JSON.stringify({ url: (await o.sign(image.key, job.doc.output.url_ttl_s)).url });
      continue;
    }
    const { body } = await o.objects.get(image.key, { signal: AbortSignal.timeout(TO_FIRST_BYTE_MS) });
    yield '{"b64_json":"';
    yield* base64Of(body as AsyncIterable<Uint8Array>);
    yield '"}';
  }
  yield `],"grsai":${JSON.stringify(grsaiOf([job]))}}${tail}`;
}

async function* answerLine(o: BatchOutputDeps, job: JobRecord): AsyncGenerator<string | Uint8Array> {
  const { output } = job;
  if (output?.kind === 'images') return yield* imageLine(o, job, output.images);
  const completion = output === null ? null : await o.readCompletion(output);
  if (completion === null) throw new Error(`the answer of ${job.id} cannot be read`);
  const { head, tail } = around(job, 200);
  const body = openAiCompletion(completion, { id: job.id, model: job.doc.input.model, created: createdOf(job) });
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
