import { isFields, textOf } from '../json-values.ts';
import type { ListedModel, ModelPrice } from '../models/index.ts';
import { amountOf, spelled, valuesOf } from './spelling.ts';

type Row = ReadonlyMap<string, unknown>;
type Unit = 'call' | 'token' | 'second';

/** What a price is for, by its number or in words (upstream.md §16.1). */
const UNITS: readonly (readonly [RegExp, Unit])[] = [
  [/^0$|call|time|fixed|count|次/, 'call'],
  [/^1$|token/, 'token'],
  [/second|秒/, 'second'],
];
const UNIT_FIELDS = ['costtype', 'pricetype', 'billingtype', 'chargetype'];
const SINGLE = ['cost', 'credits', 'credit', 'price'];
/** Objects in which the prices of tokens may stand. */
const PAIRS_IN = ['token', 'tokens', 'cost', 'price', 'credits', 'pricing'];
/** Lists of prices by resolution: those whose name says so, and others of a model that is known to make video. */
const BY_SECOND = ['video', 'persecond', 'pricepersecond', 'costpersecond', 'secondprice', 'secondcost'];
const BY_RESOLUTION = ['prices', 'costs', 'resolutions', 'price', 'cost', 'credits'];

const RESOLUTION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,15}$/;
const MOST_RESOLUTIONS = 16;

/**
 * The price that a row says. A wrong price is worse than none, so it is `null` where the unit is not clear; and so is a price of 0,
 * which upstream writes for models that are not priced by the call.
 */
export function priceOf(row: Row, type: ListedModel['type']): ModelPrice | null {
  const said = textOf(valuesOf(row, UNIT_FIELDS)[0]).toLowerCase();
  const unit = UNITS.find(([words]) => words.test(said))?.[1];
  const single = valuesOf(row, SINGLE)
    .map(amountOf)
    .find((amount) => amount !== undefined && amount > 0);
  const byCall = unit === 'call' || (said === '' && type === 'image');
  if (byCall && single !== undefined) return { credits: single };
  return tokenPrice(row, unit) ?? secondPrice(row, unit === 'second' || type === 'video');
}

function tokenPrice(row: Row, unit: Unit | undefined): ModelPrice | null {
  const inside = valuesOf(row, PAIRS_IN).filter(isFields).map(spelled);
  for (const [index, fields] of [row, ...inside].entries()) {
    const priced = unit === 'token' || index > 0;
    const input = directionOf(fields, /input|prompt/, priced);
    const output = directionOf(fields, /output|completion/, priced);
    if (input !== undefined && output !== undefined && input + output > 0) return { input, output };
  }
  return null;
}

/** The price of tokens in one direction; a field that does not name a price counts only where nothing but prices can stand. */
function directionOf(fields: Row, direction: RegExp, priced: boolean): number | undefined {
  for (const [name, value] of fields) {
    if (!direction.test(name) || /cache|max|limit/.test(name)) continue;
    const amount = priced || /price|cost|credit/.test(name) ? amountOf(value) : undefined;
    if (amount !== undefined) return amount;
  }
  return undefined;
}

function secondPrice(row: Row, isVideo: boolean): ModelPrice | null {
  const lists = valuesOf(row, isVideo ? [...BY_SECOND, ...BY_RESOLUTION] : BY_SECOND);
  for (const list of lists) {
    const tiers = tiersOf(list).flatMap(([name, value]) => {
      const amount = amountOf(isFields(value) ? valuesOf(spelled(value), SINGLE)[0] : value);
      return RESOLUTION.test(name) && amount !== undefined && amount > 0 ? [[name, amount] as const] : [];
    });
    if (tiers.length > 0) return { per_second: Object.fromEntries(tiers.slice(0, MOST_RESOLUTIONS)) };
  }
  return null;
}

/** Prices by resolution, as an object or as a list of them. */
function tiersOf(list: unknown): readonly (readonly [string, unknown])[] {
  if (isFields(list)) return Object.entries(list);
  if (!Array.isArray(list)) return [];
  return list
    .filter(isFields)
    .map((tier) => [textOf(valuesOf(spelled(tier), ['resolution', 'quality', 'size', 'name'])[0]), tier]);
}
