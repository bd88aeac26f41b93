import type { Batches } from '@grsai-jobs/job-store';
import { BATCH_ID, isBatchEnd, LIMITS } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { principalOf } from '../../http/auth.ts';
import { single } from '../../http/list-query.ts';
import { Problem } from '../../http/problem.ts';
import { served } from '../../http/route.ts';
import { validate } from '../../http/validate.ts';
import type { FileBatchReads } from '../../use-cases/file-batches.ts';
import type { NudgeOperations } from '../../use-cases/nudge-operations.ts';
import { ownBatch, viewBatch } from './batch-view.ts';
import { listOf } from './files.ts';

interface FileBatchDeps {
  batches: Pick<Batches, 'cancel'>;
  fileReads: FileBatchReads;
  nudge: NudgeOperations;
}

const BatchListQuery = z.strictObject({
  after: z.string().regex(BATCH_ID, 'must be the id of a batch').optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, `must be a number from ${LIMITS.page.min} to ${LIMITS.page.max}`)
    .transform(Number)
    .pipe(z.number().min(LIMITS.page.min).max(LIMITS.page.max))
    .default(LIMITS.page.default),
});

export const listFileBatches = served({
  method: 'get',
  path: '/openai/v1/batches',
  scope: 'jobs:read',
  handlers: (o: FileBatchDeps) => [
    async (request, response) => {
      const query = validate(BatchListQuery, Object.fromEntries(single(request.query)));
      const { batches, more } = await o.fileReads.listBatches(principalOf(response).tenant, query);
      response.json(listOf(batches.map(viewBatch), more));
    },
  ],
});

export const readFileBatch = served({
  method: 'get',
  path: '/openai/v1/batches/{id}',
  scope: 'jobs:read',
  handlers: (o: FileBatchDeps) => [
    async (request, response) => {
      response.json(viewBatch(await ownBatch(o, request.params.id, response)));
    },
  ],
});

export const cancelFileBatch = served({
  method: 'post',
  path: '/openai/v1/batches/{id}/cancel',
  scope: 'jobs:write',
  handlers: (o: FileBatchDeps) => [
    async (request, response) => {
      const { id } = request.params;
      const state = await ownBatch(o, id, response);
      const ended = state.batch === null ? null : await o.batches.cancel(id);
      if (ended === null || (isBatchEnd(ended) && ended !== 'canceled'))
        throw new Problem('conflict', `Cannot cancel a batch with status '${state.status}'.`);
      o.nudge();
      response.json(viewBatch(await ownBatch(o, id, response)));
    },
  ],
});
