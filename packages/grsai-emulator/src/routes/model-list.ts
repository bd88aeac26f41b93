import { hash } from 'node:crypto';
import type { Exchange } from '../exchange.ts';
import type { ModelState } from '../models.ts';
import { type ListedModel, priceList, refundsErrors } from '../prices.ts';
import type { Handler } from '../server.ts';
import type { World } from '../world.ts';
import { struck } from './side.ts';

/**
 * `POST /client/serverGrsai/getModelList` and `getModelListV2`: models with price, state and what comes back of it. No login.
 * The names of fields are those of the record (upstream.md §16.1), but for the prices of tokens and of video, which are ours.
 */
export const modelList =
  (version: 1 | 2): Handler =>
  async (x, world) => {
    if (await struck(x, world)) return;
    const row = version === 1 ? rowOfV1 : rowOfV2;
    x.json(200, { code: 0, msg: 'success', data: { list: allModels(world).map((model) => row(model, world)) } });
  };

/** The table, and the models that only the settings know. */
function allModels(world: World): readonly ListedModel[] {
  const list = priceList();
  const known = new Set(list.map(({ name }) => name));
  const more = Object.entries(world.settings.models).filter(([name]) => !known.has(name));
  return [...list, ...more.map(([name, state]): ListedModel => ({ name, state, type: 'image', cost: 1000, maxTokens: 0 }))];
}

const stateOf = ({ name, state }: ListedModel, { models }: World['settings']): ModelState =>
  (Object.hasOwn(models, name) ? models[name] : undefined) ?? state;

/** What both versions say in the same words. */
function common(model: ListedModel, { settings }: World): object {
  const refunds = { always: true, never: false, table: refundsErrors(model.name) };
  return {
    id: hash('md5', model.name).slice(0, 24),
    name: model.name,
    desc: '',
    maintenance: stateOf(model, settings) === 'maintenance' ? 'model maintenance' : '',
    errorReturn: refunds[settings.refundOnError],
    violationReturn: !settings.violationCharged,
  };
}

/** By call or not: the prices of tokens and of seconds do not stand there. */
const rowOfV1 = (model: ListedModel, world: World): object => ({
  ...common(model, world),
  model: '',
  credits: model.cost,
  cost_type: model.tokens === undefined ? 0 : 1,
  max_token: model.maxTokens,
  priceExample: '',
});

const rowOfV2 = (model: ListedModel, world: World): object => ({
  ...common(model, world),
  type: model.type,
  group: model.type,
  cost: model.cost,
  costType: model.tokens !== undefined ? 1 : model.seconds !== undefined ? 2 : 0,
  ...(model.tokens === undefined ? {} : { inputCost: model.tokens.input, outputCost: model.tokens.output }),
  ...(model.seconds === undefined ? {} : { video: model.seconds }),
  maxToken: model.maxTokens,
  closeModel: stateOf(model, world.settings) === 'removed',
});

/** What the rest of `/client/` says to a caller without a session, with HTTP 200: the most telling prefix wins. */
const NO_SESSION: readonly (readonly [string, number, string])[] = [
  ['/client/serverGrsai/', -10_000, 'not signed in'],
  ['/client/openapi/', -3, 'bad signature'],
  ['/client/', -1, 'not allowed'],
];

/** A call of the dashboard: it needs a session, which nobody has here. */
export const noSession = async (x: Exchange, world: World): Promise<void> => {
  if (await struck(x, world)) return;
  const [, code, msg] = NO_SESSION.find(([prefix]) => x.url.pathname.startsWith(prefix)) ?? ['', -1, 'not allowed'];
  x.json(200, { code, msg, data: null });
};
