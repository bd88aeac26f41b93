import type { Batches } from '@grsai-jobs/job-store';
import { batchRow, isBatchEnd, type SignLink, TERMINAL, viewBatch } from '@grsai-jobs/jobs';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { batchRows } from '../../use-cases/batch-rows.ts';
import { type Auth, principalOf } from '../auth.ts';
import { cursorOf, placeOf } from '../cursor.ts';
import type { KeyEnds } from '../key-ends.ts';
import { oneOf, PageQuery, single } from '../list-query.ts';
import { ownBatch } from '../named.ts';
import { sendNdjson } from '../send-ndjson.ts';
import { validate } from '../validate.ts';

/** The query of `GET /v1/batches`. */
export const BatchListQuery = z.strictObject(PageQuery);

/** The query of `GET /v1/batches/{id}/results`. */
export const ResultsQuery = z.strictObject({
  status: oneOf(TERMINAL).optional().meta({ example: 'failed,expired' }).describe('one or more, separated by commas'),
  after_line: z
    .string()
    .regex(/^\d{1,6}$/, 'must be the number of a line')
    .transform(Number)
    .default(0)
    .meta({ example: '100' })
    .describe('only lines behind this one'),
});

type OneBatch = Request<{ id: string }>;

/** What a caller reads of its batches. */
export function batchReadRoutes(o: { auth: Auth; batches: Batches; sign: SignLink; keyEnds: KeyEnds['keyEnds'] }): Router {
  const router = Router();
  const read = o.auth.requireScope('jobs:read');

  router.get('/v1/batches', read, async (request, response) => {
    const { limit, cursor } = validate(BatchListQuery, Object.fromEntries(single(request.query)));
    const after = cursor === undefined ? null : placeOf(cursor);
    const { batches, next } = await o.batches.page({ tenant: principalOf(response).tenant, after, limit });
    const data = await Promise.all(batches.map((batch) => viewBatch(batch, o.sign)));
    response.json({ object: 'list', data, next_cursor: cursorOf(next) });
  });

  router.get('/v1/batches/:id', read, async (request: OneBatch, response) => {
    const batch = await ownBatch(o.batches, request.params.id, response);
    if (!isBatchEnd(batch.status)) response.set('Retry-After', '2');
    response.json(await viewBatch(batch, o.sign));
  });

  router.get('/v1/batches/:id/results', read, async (request: OneBatch, response) => {
    const query = validate(ResultsQuery, Object.fromEntries(single(request.query)));
    const batch = await ownBatch(o.batches, request.params.id, response);
    const pages = batchRows(o.batches, batch, { afterLine: query.after_line, status: query.status ?? TERMINAL });
    await sendNdjson(
      response,
      mapped(pages, (job) => batchRow(job, o.sign)),
      o.keyEnds(response),
    );
  });

  router.get('/v1/batches/:id/errors', read, async (request: OneBatch, response) => {
    const batch = await ownBatch(o.batches, request.params.id, response);
    await sendNdjson(response, o.batches.errors(batch.id), o.keyEnds(response));
  });

  return router;
}

/** Each page with each of its items changed. */
async function* mapped<T, U>(pages: AsyncIterable<readonly T[]>, change: (item: T) => Promise<U>): AsyncGenerator<U[]> {
  for await (const page of pages) yield await Promise.all(page.map(change));
}
