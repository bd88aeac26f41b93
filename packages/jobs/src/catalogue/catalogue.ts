import { rfc3339 } from '../rfc3339.ts';
import type { ListedModel, ModelPrice, PriceSource, ReadModels } from './model.ts';

/** A model with all that is known of it here. */
export interface CatalogueModel extends ListedModel {
  readonly priceFrom: PriceSource | null;
  /** When the list that has it was read; `null`: no list has it. */
  readonly listedAt: number | null;
}

/** What the catalogue is made of. */
export interface CatalogueSources {
  readonly list: ReadModels | null;
  readonly prices: ReadonlyMap<string, ModelPrice>;
  readonly known: readonly ListedModel[];
}

/**
 * All models by id. What the list says of a model wins over what this version knows, and a price of the file over both; where the list
 * leaves something open, what is known stands in.
 */
export function catalogueOf({ list, prices, known }: CatalogueSources): ReadonlyMap<string, CatalogueModel> {
  const listed = new Map(list?.models.map((model) => [model.id, model]));
  const table = new Map(known.map((model) => [model.id, model]));
  const ids = [...new Set([...listed.keys(), ...table.keys(), ...prices.keys()])].sort();
  return new Map(
    ids.map((id) => {
      const [ofList, ofTable] = [listed.get(id), table.get(id)];
      const { price, priceFrom } = priceOf(prices.get(id), ofList, ofTable);
      const model: CatalogueModel = {
        id,
        type: ofList?.type ?? ofTable?.type ?? null,
        price,
        priceFrom,
        maintenance: ofList?.maintenance ?? null,
        closed: (ofList ?? ofTable)?.closed ?? false,
        refunds: {
          error: ofList?.refunds.error ?? ofTable?.refunds.error ?? null,
          violation: ofList?.refunds.violation ?? ofTable?.refunds.violation ?? null,
        },
        tokenLimit: ofList?.tokenLimit ?? ofTable?.tokenLimit ?? null,
        listedAt: ofList && list ? list.read_at : null,
      };
      return [id, model];
    }),
  );
}

function priceOf(
  ofFile: ModelPrice | undefined,
  ofList: ListedModel | undefined,
  ofTable: ListedModel | undefined,
): Pick<CatalogueModel, 'price' | 'priceFrom'> {
  const sources = [
    ['file', ofFile],
    ['list', ofList?.price],
    ['table', ofTable?.price],
  ] as const;
  for (const [priceFrom, price] of sources) if (price) return { price, priceFrom };
  return { price: null, priceFrom: null };
}

export type ModelView = ReturnType<typeof viewModel>;

/** A model as callers see it. */
export const viewModel = (model: CatalogueModel) => ({
  id: model.id,
  object: 'model' as const,
  type: model.type,
  price: model.price,
  price_source: model.priceFrom,
  closed: model.closed,
  maintenance: model.maintenance,
  refunds: model.refunds,
  token_limit: model.tokenLimit,
  updated_at: rfc3339(model.listedAt),
});
