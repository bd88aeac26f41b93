import type { CatalogueWatch } from '@grsai-jobs/job-store';
import {
  type CatalogueModel,
  type CatalogueSources,
  catalogueOf,
  type JobPrice,
  type JobRequest,
  priceOf,
  type ReadModels,
  rfc3339,
} from '@grsai-jobs/jobs';
import type { RequestWarning } from './check-request.ts';

export interface ModelCatalogue {
  /** All models as they are now, by their names. Rejects when Redis does not answer. */
  all(): Promise<ReadonlyMap<string, CatalogueModel>>;
  /** What the caller of a job with this model has to know, by the list as it was seen last: it waits for nothing. */
  warnings(model: string): RequestWarning[];
  /** What a call of such a job costs by the same list; `null`: nobody knows. */
  price(request: JobRequest): JobPrice | null;
  /** The same with each of its models, where it has some to fall back to: what its record keeps of it. */
  fallbackPrices(request: JobRequest): { fallback_prices?: (JobPrice | null)[] };
}

/** The models that there are, from upstream's list, the file of prices and the table of this version. */
export function createModelCatalogue(
  sources: Omit<CatalogueSources, 'list'> & { watch: Pick<CatalogueWatch, 'list' | 'look'> },
): ModelCatalogue {
  const { watch, ...rest } = sources;
  let made: { list: ReadModels | null; models: ReadonlyMap<string, CatalogueModel> } | undefined;
  const modelsOf = (list: ReadModels | null) => {
    if (made?.list !== list || made === undefined) made = { list, models: catalogueOf({ ...rest, list }) };
    return made.models;
  };
  return {
    all: async () => modelsOf(await watch.look()),
    price: (request) => priceOf(modelsOf(watch.list()).get(request.input.model), request),
    fallbackPrices(request) {
      if (request.fallback_models === undefined) return {};
      const models = modelsOf(watch.list());
      const names = [request.input.model, ...request.fallback_models];
      return { fallback_prices: names.map((name) => priceOf(models.get(name), request)) };
    },
    warnings(id) {
      const model = modelsOf(watch.list()).get(id);
      return model === undefined ? [] : warningsOf(model);
    },
  };
}

/** Lists can be out of date, so a model that takes no calls now is no reason to refuse a job. */
function warningsOf({ id, closed, maintenance, listedAt }: CatalogueModel): RequestWarning[] {
  if (!closed && maintenance === null) return [];
  const source = listedAt === null ? 'as far as this version knows' : `by the list of ${rfc3339(listedAt)}`;
  const [code, what] = closed
    ? (['model_closed', 'is closed'] as const)
    : (['model_maintenance', `is under maintenance (${maintenance})`] as const);
  return [{ pointer: '/input/model', code, message: `"${id}" ${what}, ${source}; the job is accepted and tried all the same` }];
}
