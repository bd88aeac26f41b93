import { createHash, type Hash } from 'node:crypto';
import { BatchRequest, LIMITS, type SignLink, viewBatch } from '@grsai-jobs/jobs';
import { type RequestHandler, type Response, Router } from 'express';
import { type AcceptBatch, type BatchUpload, batchDoc } from '../../use-cases/accept-batch.ts';
import type { BatchRefusal } from '../../use-cases/batch-writer.ts';
import type { FieldError } from '../../validation/validate.ts';
import { type Auth, principalOf } from '../auth.ts';
import { hashed, jsonItems, ndjsonItems } from '../batch-items.ts';
import { formQuery, linesQuery } from '../batch-query.ts';
import { BATCH_RATIO, rawJsonBody } from '../body.ts';
import type { BodyBudget } from '../body-budget.ts';
import { bodyStream, windowBytes } from '../body-stream.ts';
import { isJson, isJsonLines } from '../content-type.ts';
import { idempotencyKey } from '../idempotency-key.ts';
import { Problem } from '../problem.ts';
import { BATCH_REFUSALS, orProblem } from '../refusals.ts';
import { JSON_LIMITS, parseStrictJson } from '../strict-json.ts';
import { invalid, validateBody } from '../validate.ts';

export interface BatchRoutes {
  auth: Auth;
  accept: AcceptBatch;
  sign: SignLink;
  bodyLimit: number;
  budget: BodyBudget;
  /** What is wrong with an address that webhooks are to go to. */
  checkUrl: (url: string) => string | undefined;
}

/** The likeliest reason for more than one value in the JSON form. */
const RUNS_ON = 'Send lines of NDJSON as application/x-ndjson';

/** `POST /v1/batches`, in both its forms. */
export function batchRoutes(o: BatchRoutes): Router {
  const router = Router();

  function checkWebhook(doc: BatchUpload['doc'], pointer: string): void {
    const message = doc.webhook && o.checkUrl(doc.webhook.url);
    if (message !== undefined) throw invalid([{ pointer, message }]);
  }

  async function answer(response: Response, result: Awaited<ReturnType<AcceptBatch>>): Promise<void> {
    const { batch, replayed, invalid: bad, warnings } = orProblem(result, BATCH_REFUSALS);
    if (replayed) response.set('Idempotent-Replayed', 'true');
    response
      .status(202)
      .set({ Location: `/v1/batches/${batch.id}`, 'Retry-After': '2' })
      .json({ ...(await viewBatch(batch, o.sign)), invalid: bad, ...(warnings && warnings.count > 0 ? { warnings } : {}) });
  }

  const upload = (response: Response, key: string | undefined, fingerprint: () => string) => ({
    tenant: principalOf(response).tenant,
    requestId: response.locals['requestId'] as string,
    ...(key === undefined ? {} : { idempotency: { key, fingerprint } }),
  });

  const lines: RequestHandler = async (request, response, next) => {
    const type = request.headers['content-type'];
    if (isJson(type)) return next();
    if (!isJsonLines(type))
      throw new Problem(
        'unsupported_media_type',
        'Send the batch as application/x-ndjson, or up to 1000 items as application/json.',
      );
    const key = idempotencyKey(request.headers['idempotency-key']);
    const { onInvalid, doc } = linesQuery(request.query);
    checkWebhook(doc, '/webhook_url');
    const hash = fingerprintOf(request.query);
    const lease = o.budget.lease(principalOf(response).tenant, response);
    const bytes = hashed(bodyStream(request, response, { bytes: LIMITS.batch.bytes }), hash);
    const accepted = await o.accept({
      ...upload(response, key, () => hash.digest('hex')),
      doc,
      onInvalid,
      items: ndjsonItems(bytes, LIMITS.batch, (held, given) => lease.hold(held + windowBytes(request, given))),
    });
    await answer(response, accepted);
  };

  const form: RequestHandler = async (request, response) => {
    const key = idempotencyKey(request.headers['idempotency-key']);
    const query = formQuery(request.query);
    const bytes = request.body as Uint8Array;
    const body = validateBody(BatchRequest, await parseStrictJson(bytes, { runsOn: RUNS_ON, limits: JSON_LIMITS.batch }));
    const { priority, expires_in_s } = body.defaults;
    const doc = batchDoc({ webhook: body.webhook, metadata: body.metadata, priority, expires_in_s });
    checkWebhook(doc, '/webhook/url');
    const fingerprint = () => fingerprintOf(request.query).update(bytes).digest('hex');
    const accepted = await o.accept({
      ...upload(response, key, fingerprint),
      doc,
      onInvalid: query.on_invalid,
      items: jsonItems(body),
    });
    await answer(response, accepted.kind === 'invalid_items' ? withPlaces(accepted) : accepted);
  };

  router.post(
    '/v1/batches',
    o.auth.requireScope('jobs:write'),
    lines,
    rawJsonBody(o.bodyLimit, { budget: o.budget, ratio: BATCH_RATIO }),
    form,
  );
  return router;
}

/** Pointers into an item become pointers into the body that it stands in. */
function withPlaces(refusal: Extract<BatchRefusal, { kind: 'invalid_items' }>): BatchRefusal {
  const errors = refusal.errors.map(
    ({ line, ...each }): FieldError =>
      line === undefined ? each : { ...each, line, pointer: `/items/${line - 1}${each.pointer}` },
  );
  return { ...refusal, errors };
}

/** What a request is told by: its body as it was before it was packed, and what the query says about it. */
function fingerprintOf(query: object): Hash {
  const said = Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(said.length === 0 ? '' : JSON.stringify(said));
}
