import { createHash, type Hash } from 'node:crypto';
import { BatchRequest, JsonBatchItem, LIMITS, type SignLink, viewBatch } from '@grsai-jobs/jobs';
import type { SliceQueue } from '@grsai-jobs/runtime';
import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { principalOf } from '../../http/auth.ts';
import { hashed, jsonItems, ndjsonItems } from '../../http/batch-items.ts';
import { BATCH_RATIO, rawJsonBody } from '../../http/body.ts';
import type { BodyBudget } from '../../http/body-budget.ts';
import { bodyStream, windowBytes } from '../../http/body-stream.ts';
import { isJson, isJsonLines } from '../../http/content-type.ts';
import { idempotencyKey as idempotencyKeyOf } from '../../http/idempotency-key.ts';
import { comeBack, idempotencyKey, json, LINES, refusals } from '../../http/openapi/answers.ts';
import { Problem } from '../../http/problem.ts';
import { BATCH_REFUSALS, orProblem } from '../../http/refusals.ts';
import { route } from '../../http/route.ts';
import { JSON_LIMITS, parseStrictJson } from '../../http/strict-json.ts';
import { invalid, validateBody } from '../../http/validate.ts';
import type { BatchRefusal } from '../../use-cases/batch-writer.ts';
import { type BatchUpload, batchDoc, type CreateBatch } from '../../use-cases/create-batch.ts';
import type { FieldError } from '../../validation/validate.ts';
import { acceptedBatch, acceptedInPart, batchForms, batchLines } from './examples.ts';
import { address } from './one-batch.ts';
import { BatchQuery, formQuery, linesQuery } from './query.ts';
import { AcceptedBatch } from './schemas.ts';

interface CreateBatchDeps {
  createBatch: CreateBatch;
  sign: SignLink;
  bodyLimit: number;
  budget: BodyBudget;
  slices: SliceQueue;
  /** What is wrong with an address that webhooks are to go to. */
  checkUrl: (url: string) => string | undefined;
}

/** The JSON form as it is described; each item is checked, with the defaults under it, as the body of `POST /v1/jobs`. */
const BatchForm = BatchRequest.extend({
  items: z
    .array(JsonBatchItem)
    .min(1)
    .max(LIMITS.batch.items)
    .describe('bodies of `POST /v1/jobs`, each with a `custom_id` of its own; what they leave out comes from `defaults`'),
}).meta({ id: 'BatchRequest' });

export const createBatch = route({
  method: 'post',
  path: '/v1/batches',
  scope: 'jobs:write',
  operation: {
    operationId: 'createBatch',
    summary: `Send up to ${LIMITS.batch.lines} jobs as lines, or up to ${LIMITS.batch.items} as JSON`,
    description: `Each line is a body of \`POST /v1/jobs\` with a \`custom_id\`. A body of lines may be packed (gzip, br, deflate) and is read as a stream: at most ${LIMITS.batch.bytes} bytes unpacked, ${LIMITS.batch.lineBytes} in a line; blank lines are passed over. The batch's own fields then come from the query, \`metadata.<key>=<value>\` among them; with a JSON body only \`on_invalid\` does. Nothing is there before the whole body has come, and what breaks off leaves nothing.`,
    requestParams: {
      query: BatchQuery,
      header: z.object({
        'Idempotency-Key': idempotencyKey('batch-A-17', 'the same key, query and body make one batch, for 72 hours'),
      }),
    },
    requestBody: {
      required: true,
      content: {
        'application/x-ndjson': { schema: LINES, example: batchLines },
        'application/json': { schema: BatchForm, examples: batchForms },
      },
    },
    responses: {
      '202': {
        ...json(AcceptedBatch, 'Accepted: each job of it will reach a terminal state', acceptedBatch, acceptedInPart),
        headers: z.object({
          Location: address,
          'Retry-After': comeBack,
          'Idempotent-Replayed': z.string().optional().describe('true when this Idempotency-Key had made the batch before'),
        }),
      },
      ...refusals(
        'malformed_json',
        'bad_request',
        'unauthorized',
        'forbidden',
        'idempotency_key_in_use',
        'request_timeout',
        'body_too_large',
        'unsupported_media_type',
        'invalid_request',
        'idempotency_key_reused',
        'unavailable',
      ),
    },
  },
  handlers: (o: CreateBatchDeps) => {
    const { lines, form } = forms(o);
    return [lines, rawJsonBody(o.bodyLimit, { budget: o.budget, ratio: BATCH_RATIO }), form];
  },
});

/** The likeliest reason for more than one value in the JSON form. */
const RUNS_ON = 'Send lines of NDJSON as application/x-ndjson';

/** Takes a body of lines, and leaves any other to the JSON form. */
function forms(o: CreateBatchDeps): { lines: RequestHandler; form: RequestHandler } {
  function checkWebhook(doc: BatchUpload['doc'], pointer: string): void {
    const message = doc.webhook && o.checkUrl(doc.webhook.url);
    if (message !== undefined) throw invalid([{ pointer, message }]);
  }

  async function answer(response: Response, result: Awaited<ReturnType<CreateBatch>>): Promise<void> {
    const { batch, replayed, invalid: bad, warnings } = orProblem(result, BATCH_REFUSALS);
    if (replayed) response.set('Idempotent-Replayed', 'true');
    response
      .status(202)
      .set({ Location: `/v1/batches/${batch.id}`, 'Retry-After': '2' })
      .json({ ...(await viewBatch(batch, o.sign)), invalid: bad, ...(warnings && warnings.count > 0 ? { warnings } : {}) });
  }

  const upload = (response: Response, key: string | undefined, fingerprint: () => string) => ({
    tenant: principalOf(response).tenant,
    keyId: principalOf(response).key_id,
    requestId: response.locals['requestId'] as string,
    ...(key === undefined ? {} : { idempotency: { key, fingerprint } }),
  });

  return {
    lines: async (request, response, next) => {
      const type = request.headers['content-type'];
      if (isJson(type)) return next();
      if (!isJsonLines(type))
        throw new Problem(
          'unsupported_media_type',
          'Send the batch as application/x-ndjson, or up to 1000 items as application/json.',
        );
      const key = idempotencyKeyOf(request.headers['idempotency-key']);
      const { onInvalid, doc } = linesQuery(request.query);
      checkWebhook(doc, '/webhook_url');
      const hash = fingerprintOf(request.query);
      const lease = o.budget.lease(principalOf(response).tenant, response);
      const body = bodyStream(request, response, { bytes: LIMITS.batch.bytes });
      const accepted = await o.createBatch({
        ...upload(response, key, () => hash.digest('hex')),
        doc,
        onInvalid,
        // Only a key asks whether it is the same body.
        items: ndjsonItems(
          key === undefined ? body : hashed(body, hash),
          o.slices.of(principalOf(response).tenant),
          LIMITS.batch,
          (held, given) => lease.hold(held + windowBytes(request, given)),
        ),
      });
      await answer(response, accepted);
    },

    form: async (request, response) => {
      const key = idempotencyKeyOf(request.headers['idempotency-key']);
      const query = formQuery(request.query);
      const bytes = request.body as Uint8Array;
      const slices = o.slices.of(principalOf(response).tenant);
      const read = await parseStrictJson(bytes, slices, { runsOn: RUNS_ON, limits: JSON_LIMITS.batch });
      const body = validateBody(BatchRequest, read);
      const { priority, expires_in_s } = body.defaults;
      const doc = batchDoc({ webhook: body.webhook, metadata: body.metadata, priority, expires_in_s });
      checkWebhook(doc, '/webhook/url');
      const fingerprint = () => fingerprintOf(request.query).update(bytes).digest('hex');
      const accepted = await o.createBatch({
        ...upload(response, key, fingerprint),
        doc,
        onInvalid: query.on_invalid,
        items: jsonItems(body),
      });
      await answer(response, accepted.kind === 'invalid_items' ? withPlaces(accepted) : accepted);
    },
  };
}

/** Pointers into an item become pointers into the body that it stands in. */
function withPlaces(refusal: Extract<BatchRefusal, { kind: 'invalid_items' }>): BatchRefusal {
  const errors = refusal.errors.map(
    ({ line, ...each }): FieldError =>
      line === undefined ? each : { ...each, line, pointer: `/items/${line - 1}${each.pointer}` },
  );
  return { ...refusal, errors };
}

/** What a request is known by: its body as it was before it was packed, and what the query says about it. */
function fingerprintOf(query: object): Hash {
  const said = Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(said.length === 0 ? '' : JSON.stringify(said));
}
