import { type CatalogueModel, viewModel } from '@grsai-jobs/jobs';
import { served } from '../../http/route.ts';
import type { ModelCatalogue } from '../../use-cases/model-catalogue.ts';
import { sendError } from './errors.ts';

interface ModelDeps {
  catalogue: Pick<ModelCatalogue, 'all'>;
}

/** As OpenAI lists a model, with what we know of it beside. */
function modelOf(model: CatalogueModel) {
  const { id, object: _, ...known } = viewModel(model);
  return { id, object: 'model' as const, created: Math.floor((model.listedAt ?? 0) / 1000), owned_by: 'grsai', grsai: known };
}

export const listModels = served({
  method: 'get',
  path: '/openai/v1/models',
  scope: 'jobs:read',
  handlers: (o: ModelDeps) => [
    async (_request, response) => {
      response.json({ object: 'list', data: [...(await o.catalogue.all()).values()].map(modelOf) });
    },
  ],
});

export const readModel = served({
  method: 'get',
  path: '/openai/v1/models/{id}',
  scope: 'jobs:read',
  handlers: (o: ModelDeps) => [
    async (request, response) => {
      const model = (await o.catalogue.all()).get(request.params.id);
      if (model !== undefined) response.json(modelOf(model));
      else
        sendError(response, {
          status: 404,
          code: 'model_not_found',
          message: 'No model of this name is known. A request may name it all the same, should upstream have it.',
          param: 'model',
        });
    },
  ],
});
