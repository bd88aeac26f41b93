import type { FileBatch, FileBatchError, FileBatches, StoredFile } from '@grsai-jobs/job-store';
import { LIMITS } from '@grsai-jobs/jobs';
import { type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import type { SliceQueue } from '@grsai-jobs/runtime';
import type { Request, Response } from 'express';
import { principalOf } from '../../http/auth.ts';
import { ndjsonItems } from '../../http/batch-items.ts';
import { jsonBody, SMALL_BODY } from '../../http/body.ts';
import { idempotencyKey } from '../../http/idempotency-key.ts';
import { Problem } from '../../http/problem.ts';
import { BATCH_REFUSALS, orProblem } from '../../http/refusals.ts';
import { served } from '../../http/route.ts';
import { invalid } from '../../http/validate.ts';
import type { CreateBatch } from '../../use-cases/create-batch.ts';
import type { FileBatchReads } from '../../use-cases/file-batches.ts';
import { fingerprintOf } from '../../use-cases/fingerprint.ts';
import type { HeldAnswer, HoldAnswer } from '../../use-cases/held-answers.ts';
import type { FieldError } from '../../validation/validate.ts';
import { type FileBatchOrder, readBatchLines, readFileBatchRequest } from './batch-request.ts';
import { ownBatch, viewBatch } from './batch-view.ts';
import { paramOf } from './errors.ts';
import { bytesInTime, unread } from './file-bytes.ts';

interface CreateFileBatchDeps {
  fileBatches: Pick<FileBatches, 'create' | 'fail' | 'forget'>;
  fileReads: FileBatchReads;
  objects: Pick<ObjectStore, 'get'>;
  createBatch: CreateBatch;
  holdAnswer: HoldAnswer;
  newBatchId: () => string;
  checkUrl: (address: string) => string | undefined;
  /** Names of fields of chats that go to upstream as they are. */
  upstreamChatFields: readonly string[];
  slices: SliceQueue;
  clock: { now(): number };
}

const ROUTE = 'POST /openai/v1/batches';

/** Lines are read much sooner; whoever has not come to their end by then is gone. */
const VALIDATES_MS = 10 * 60_000;
const TO_FIRST_BYTE_MS = 10_000;
/** So many wrong fields are kept of a batch, and so much of what is said of each. */
const ERRORS_KEPT = 50;
const MESSAGE_CHARS = 500;

/** Errors of lines as a batch shows them. */
const errorsOf = (errors: readonly FieldError[]): FileBatchError[] =>
  errors.slice(0, ERRORS_KEPT).map(({ code = 'invalid_request', line = null, message, pointer }) => ({
    code,
    line,
    message: message.slice(0, MESSAGE_CHARS),
    param: paramOf(pointer),
  }));

/** Problems with the whole of a file, by OpenAI's codes where it has one. */
const FILE_CODES: Readonly<Record<string, string>> = { malformed_json: 'invalid_json_line', body_too_large: 'file_too_large' };

/** A request that is right, with the file that it names. */
interface Wanted {
  order: FileBatchOrder;
  file: StoredFile;
}

/** @throws Problem `invalid_request` */
async function readWanted(o: CreateFileBatchDeps, request: Request, response: Response): Promise<Wanted> {
  const order = readFileBatchRequest(request.body);
  const webhook = order.doc.webhook && o.checkUrl(order.doc.webhook.url);
  if (webhook !== undefined) throw invalid([{ pointer: '/grsai/webhook/url', message: webhook }]);
  const listed = await o.fileReads.readFile(principalOf(response).tenant, order.input_file_id);
  if (listed?.kind === 'stored') return { order, file: listed.file };
  throw invalid([{ pointer: '/input_file_id', message: 'is no file with the purpose batch' }]);
}

/** The answer of the request, unless its key or its sender says that it is not to be joined with an earlier one. */
async function holdAnswer(
  o: CreateFileBatchDeps,
  { attach }: FileBatchOrder,
  request: Request,
  response: Response,
): Promise<HeldAnswer | null> {
  if (!attach || request.headers['idempotency-key'] !== undefined) return null;
  const { tenant, key_id: keyId } = principalOf(response);
  const answer = await o.holdAnswer({
    ...{ tenant, keyId, route: ROUTE, body: request.body as unknown, jobs: 1, of: 'file-batch' },
    again: Number(request.headers['x-stainless-retry-count'] ?? 0) >= 1,
    lifeMs: VALIDATES_MS,
    leaves: false,
  });
  const settle = () => answer.settle(response.writableFinished ? 'delivered' : 'left');
  response.once('close', () => void settle());
  if (response.closed || response.destroyed) await settle();
  return answer;
}

type Idempotency = { route: string; key: string; fingerprint: string };

async function idempotencyOf(o: CreateFileBatchDeps, request: Request, response: Response): Promise<Idempotency | undefined> {
  const key = idempotencyKey(request.headers['idempotency-key']);
  if (key === undefined) return undefined;
  return { route: ROUTE, key, fingerprint: await fingerprintOf(request.body, o.slices.of(principalOf(response).tenant)) };
}

/** What the lines came to: errors of some of them, or `null`. */
function lineErrors(made: Awaited<ReturnType<CreateBatch>>): FileBatchError[] | null {
  if (made.kind === 'no_items') return [{ code: 'empty_file', line: null, message: 'The file has no lines.', param: null }];
  return made.kind === 'invalid_items' ? errorsOf(made.errors) : null;
}

/** Reads the lines and makes the batch of them. Answers why it came to nothing; `null`: it did not. */
async function makeBatch(
  o: CreateFileBatchDeps,
  { id, validates_until: until }: Pick<FileBatch, 'id' | 'validates_until'>,
  { order, file }: Wanted,
  response: Response,
): Promise<FileBatchError[] | null> {
  const { tenant, key_id: keyId } = principalOf(response);
  const { body } = await o.objects.get(file.key, { signal: AbortSignal.timeout(TO_FIRST_BYTE_MS) });
  try {
    const made = await o.createBatch({
      ...{ tenant, keyId, id, doc: order.doc },
      requestId: response.locals['requestId'] as string,
      onInvalid: 'reject',
      readItem: readBatchLines(order.endpoint, order.doc, o.upstreamChatFields),
      items: ndjsonItems(bytesInTime(body, { clock: o.clock, until }), o.slices.of(tenant), LIMITS.batch),
    });
    const errors = lineErrors(made);
    if (errors === null) orProblem(made, BATCH_REFUSALS);
    return errors;
  } catch (error) {
    const code = error instanceof Problem ? FILE_CODES[error.code] : undefined;
    if (code === undefined) throw error;
    return [{ code, line: null, message: (error as Problem).message, param: null }];
  } finally {
    body.destroy();
  }
}

const recordOf = (id: string, tenant: string, order: FileBatchOrder, now: number) => {
  const { input_file_id, endpoint, completion_window, metadata, output_expires_s, doc } = order;
  return {
    ...{ id, tenant, input_file_id, endpoint, completion_window, metadata, output_expires_s },
    created_at: now,
    validates_until: now + VALIDATES_MS,
    expires_at: now + doc.expires_in_s * 1000,
  } satisfies Partial<FileBatch>;
};

/** Answers the id of the batch: made by this, or by an earlier request with the same key. */
async function startBatch(
  o: CreateFileBatchDeps,
  wanted: Wanted,
  from: { id: string; answer: HeldAnswer | null; idempotency: Idempotency | undefined },
  response: Response,
): Promise<string> {
  const { id, idempotency } = from;
  const record = recordOf(id, principalOf(response).tenant, wanted.order, o.clock.now());
  const found = await o.fileBatches.create(record, idempotency);
  if (found.kind === 'replay') {
    if (found.fingerprint !== idempotency?.fingerprint) throw BATCH_REFUSALS.key_reused({ kind: 'key_reused' });
    response.set('Idempotent-Replayed', 'true');
    return found.id;
  }
  try {
    const errors = await makeBatch(o, record, wanted, response);
    if (errors !== null) await o.fileBatches.fail(id, errors, o.clock.now());
    return id;
  } catch (error) {
    const isKnown = error instanceof Problem || error instanceof ObjectStoreError;
    // Nothing was made, so whoever sends it again makes one; after anything else the same request tells.
    if (isKnown) {
      await o.fileBatches.forget(record, idempotency);
      await from.answer?.settle('dropped');
    }
    throw error instanceof ObjectStoreError ? unread() : error;
  }
}

/** The lines are read before the answer, whose `status` says what came of them. */
export const createFileBatch = served({
  method: 'post',
  path: '/openai/v1/batches',
  scope: 'jobs:write',
  handlers: (o: CreateFileBatchDeps) => [
    ...jsonBody(SMALL_BODY),
    async (request, response) => {
      const wanted = await readWanted(o, request, response);
      const idempotency = await idempotencyOf(o, request, response);
      const answer = await holdAnswer(o, wanted.order, request, response);
      const [id = o.newBatchId()] = answer?.jobs ?? [];
      const made = answer?.claimed ? id : await startBatch(o, wanted, { id, answer, idempotency }, response);
      response.json(viewBatch(await ownBatch(o, made, response)));
    },
  ],
});
