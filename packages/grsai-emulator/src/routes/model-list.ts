import type { Exchange } from '../exchange.ts';
import { type ListedModel, priceList, refundsErrors } from '../prices.ts';
import type { Handler } from '../server.ts';
import type { World } from '../world.ts';
import { struck } from './side.ts';

/** Kinds of price that the first version of the list can say. */
const OLD_KINDS: readonly unknown[] = ['call', 'token'];

/**
 * `POST /client/serverGrsai/getModelList` and `getModelListV2`: models with price, state and what comes back of it. No login.
 * Only the second tells models that are priced by the second.
 */
export const modelList =
  (version: 1 | 2): Handler =>
  async (x, world) => {
    if (await struck(x, world)) return;
    const rows = allModels(world).filter(({ priceType }) => version === 2 || OLD_KINDS.includes(priceType));
    x.json(200, { code: 0, msg: 'success', data: rows.map((row) => told(row, world)) });
  };

/** The table, and the models that only the settings know. */
function allModels(world: World): readonly ListedModel[] {
  const list = priceList();
  const known = new Set(list.map(({ model }) => model));
  const more = Object.entries(world.settings.models).filter(([model]) => !known.has(model));
  return [
    ...list,
    ...more.map(([model, state]) => ({ model, state, type: 'image', priceType: 'call', price: 1000, maxTokens: 0 })),
  ];
}

function told({ state: usual, ...row }: ListedModel, { settings }: World): object {
  const state = (Object.hasOwn(settings.models, row.model) ? settings.models[row.model] : undefined) ?? usual;
  const refunds = { always: true, never: false, table: refundsErrors(row.model) };
  return {
    ...row,
    maintenance: state === 'maintenance' ? 'model maintenance' : '',
    closed: state === 'removed',
    refundOnError: refunds[settings.refundOnError],
    refundOnViolation: !settings.violationCharged,
  };
}

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
