import { PRICE_SOURCES, viewModel } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { single } from '../http/list-query.ts';
import { json, listExample, listOf, refusals } from '../http/openapi/answers.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import { validate } from '../http/validate.ts';
import type { ModelCatalogue } from '../use-cases/model-catalogue.ts';

/** The models that jobs can name, with their prices and states; the same for every tenant. */

const credits = z.number().min(0);

const Price = z
  .union([
    z.strictObject({ credits: credits.describe('for a call') }),
    z.strictObject({ input: credits.describe('for a million tokens'), output: credits.describe('for a million tokens') }),
    z.strictObject({ per_second: z.record(z.string(), credits).describe('for a second of video, by resolution') }),
  ])
  .meta({ id: 'ModelPrice', description: 'In credits of the upstream account' });

const Model = z
  .strictObject({
    id: z.string().meta({ example: 'nano-banana-2' }),
    object: z.literal('model'),
    type: z.enum(['image', 'chat', 'video']).nullable().describe('null: not known'),
    price: Price.nullable().describe('null: not known'),
    price_source: z
      .enum(PRICE_SOURCES)
      .nullable()
      .describe("where the price comes from: upstream's `list`, the operator's `file`, or the `table` of this version"),
    closed: z.boolean().describe('it takes no calls; jobs are accepted all the same, with a warning'),
    maintenance: z.string().nullable().describe("upstream's text while it works on the model"),
    refunds: z
      .strictObject({ error: z.boolean().nullable(), violation: z.boolean().nullable() })
      .describe('whether credits come back of a task that failed, or broke the content policy; null: not known'),
    token_limit: z.number().nullable().describe('most tokens of an answer'),
    updated_at: z.iso.datetime().nullable().describe('when the list that has it was read; null: no list has it'),
  })
  .meta({ id: 'Model' });

const image: z.output<typeof Model> = {
  id: 'nano-banana-2',
  object: 'model',
  type: 'image',
  price: { credits: 1200 },
  price_source: 'list',
  closed: false,
  maintenance: null,
  refunds: { error: true, violation: false },
  token_limit: null,
  updated_at: '2026-11-27T10:00:00.000Z',
};
const chat: z.output<typeof Model> = {
  id: 'gemini-3.1-pro',
  object: 'model',
  type: 'chat',
  price: { input: 30_000, output: 140_000 },
  price_source: 'table',
  closed: false,
  maintenance: null,
  refunds: { error: null, violation: null },
  token_limit: null,
  updated_at: null,
};

interface ModelDeps {
  catalogue: Pick<ModelCatalogue, 'all'>;
}

const NoQuery = z.strictObject({});

export const listModels = route({
  method: 'get',
  path: '/v1/models',
  scope: 'jobs:read',
  operation: {
    operationId: 'listModels',
    summary: 'List the models that are known, by name',
    description:
      'All of them in one page. A model that is missing here can be named in a job all the same: upstream adds some before its list has them.',
    responses: {
      '200': json(listOf(Model), 'The models; `next_cursor` is always null', listExample(chat, image)),
      ...refusals('unauthorized', 'forbidden', 'invalid_request', 'unavailable'),
    },
  },
  handlers: (o: ModelDeps) => [
    async (request, response) => {
      validate(NoQuery, Object.fromEntries(single(request.query)));
      const data = [...(await o.catalogue.all()).values()].map(viewModel);
      response.json({ object: 'list', data, next_cursor: null });
    },
  ],
});

export const readModel = route({
  method: 'get',
  path: '/v1/models/{id}',
  scope: 'jobs:read',
  operation: {
    operationId: 'getModel',
    summary: 'Read a model',
    requestParams: { path: z.object({ id: z.string().meta({ example: 'nano-banana-2' }) }) },
    responses: {
      '200': json(Model, 'The model', image),
      ...refusals('unauthorized', 'forbidden', 'not_found', 'unavailable'),
    },
  },
  handlers: (o: ModelDeps) => [
    async (request, response) => {
      const model = (await o.catalogue.all()).get(request.params.id);
      if (model === undefined)
        throw new Problem(
          'not_found',
          'No model of this name is known. A job may name it all the same, should upstream have it.',
        );
      response.json(viewModel(model));
    },
  ],
});
