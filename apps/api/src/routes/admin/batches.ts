import type { Batches, Rooms } from '@grsai-jobs/job-store';
import { type SignLink, viewAdminBatch } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { PageQuery, readCursor, single, TenantParameter, writeCursor } from '../../http/list-query.ts';
import { anyBatch } from '../../http/named.ts';
import { json, listExample, listOf, refusals } from '../../http/openapi/answers.ts';
import { route } from '../../http/route.ts';
import { validate } from '../../http/validate.ts';
import { whyBatchesWait } from '../../use-cases/why-waiting.ts';
import { completedBatch } from '../batches/examples.ts';
import { Batch } from '../batches/schemas.ts';
import { always } from './operation.ts';

/** Batches of all tenants, to be read. */

/** The query of `GET /admin/v1/batches`. */
const AdminBatchQuery = z.strictObject({ tenant: TenantParameter, ...PageQuery });

const AdminBatch = Batch.extend({ tenant: z.string() }).meta({ id: 'AdminBatch' });

const batch: z.output<typeof AdminBatch> = {
  ...completedBatch,
  tenant: 'acme',
  links: { self: `/admin/v1/batches/${completedBatch.id}`, jobs: `/admin/v1/jobs?batch_id=${completedBatch.id}` },
};

const oneBatch = { path: z.object({ id: z.string().meta({ example: completedBatch.id }) }) };

export const listAllBatches = route({
  method: 'get',
  path: '/admin/v1/batches',
  scope: 'admin:read',
  operation: {
    operationId: 'listAllBatches',
    summary: 'Batches of all tenants, the newest first',
    requestParams: { query: AdminBatchQuery },
    responses: {
      '200': json(listOf(AdminBatch), 'A page; `next_cursor` is null on the last one', listExample(batch)),
      ...refusals('bad_request', 'invalid_request', ...always),
    },
  },
  handlers: (o: { batches: Pick<Batches, 'page'>; rooms: Pick<Rooms, 'why'>; sign: SignLink }) => [
    async (request, response) => {
      const { tenant = null, limit, cursor } = validate(AdminBatchQuery, Object.fromEntries(single(request.query)));
      const after = cursor === undefined ? null : readCursor(cursor);
      const { batches, next } = await o.batches.page({ tenant, after, limit });
      const why = await whyBatchesWait(o.rooms, batches);
      const data = await Promise.all(batches.map((batch) => viewAdminBatch(batch, o.sign, why.get(batch.id))));
      response.json({ object: 'list', data, next_cursor: writeCursor(next) });
    },
  ],
});

export const readAnyBatch = route({
  method: 'get',
  path: '/admin/v1/batches/{id}',
  scope: 'admin:read',
  operation: {
    operationId: 'getAnyBatch',
    summary: 'A batch of any tenant',
    requestParams: oneBatch,
    responses: { '200': json(AdminBatch, 'The batch', batch), ...refusals('not_found', ...always) },
  },
  handlers: (o: { batches: Pick<Batches, 'read'>; rooms: Pick<Rooms, 'why'>; sign: SignLink }) => [
    async (request, response) => {
      const batch = await anyBatch(o.batches, request.params.id);
      const why = await whyBatchesWait(o.rooms, [batch]);
      response.json(await viewAdminBatch(batch, o.sign, why.get(batch.id)));
    },
  ],
});
