import { isFields, textOf } from '../json-values.ts';
import type { ListedModel } from '../models/index.ts';
import { priceOf } from './price.ts';
import { amountOf, flagOf, spelled, valuesOf } from './spelling.ts';

type Row = ReadonlyMap<string, unknown>;

/** Names that this client can call. */
const ID = /^[A-Za-z0-9._:/@-]{1,128}$/;
/** `model` may be the vendor's own name of it (upstream.md §16.1). */
const ID_FIELDS = ['name', 'model', 'modelname', 'modelid'];

const TYPES: readonly (readonly [RegExp, NonNullable<ListedModel['type']>])[] = [
  [/video|视频/, 'video'],
  [/image|picture|draw|图/, 'image'],
  [/chat|text|llm|language|对话|文本/, 'chat'],
];

const CLOSED = ['closemodel', 'closed', 'isclosed', 'close', 'disabled', 'offline'];
const OPEN = ['enabled', 'open', 'isopen', 'online', 'available'];
const MAINTENANCE = ['maintenance', 'maintain', 'maintenancetext', 'maintenancemessage', 'maintenancemsg'];
const ERROR_REFUND = ['errorreturn', 'refundonerror', 'errorrefund', 'returnonerror'];
const VIOLATION_REFUND = ['violationreturn', 'refundonviolation', 'violationrefund', 'returnonviolation'];
const TOKEN_LIMIT = ['maxtoken', 'maxtokens', 'tokenlimit', 'maxoutputtokens'];

const LONGEST_TEXT = 200;

/** A row of the list; `undefined` when it names no model that could be called. What else cannot be read is left open. */
export function readRow(value: unknown): ListedModel | undefined {
  if (!isFields(value)) return undefined;
  const row = spelled(value);
  const id = idOf(row);
  if (id === undefined) return undefined;
  const said = typeOf(row);
  const price = priceOf(row, said);
  return {
    id,
    type: said ?? typeByPrice(price),
    price,
    maintenance: maintenanceOf(row),
    closed:
      valuesOf(row, CLOSED).some((flag) => flagOf(flag) === true) || valuesOf(row, OPEN).some((flag) => flagOf(flag) === false),
    refunds: { error: firstFlag(row, ERROR_REFUND), violation: firstFlag(row, VIOLATION_REFUND) },
    tokenLimit:
      valuesOf(row, TOKEN_LIMIT)
        .map(amountOf)
        .find((limit) => limit !== undefined && limit >= 1) ?? null,
  };
}

/** An `id` alone may be a number in upstream's database: it counts only where nothing else is a name. */
function idOf(row: Row): string | undefined {
  const names = valuesOf(row, ID_FIELDS);
  return (names.length > 0 ? names : valuesOf(row, ['id'])).map(textOf).find((name) => ID.test(name));
}

const typeOf = (row: Row): ListedModel['type'] => {
  const said = textOf(valuesOf(row, ['type', 'modeltype', 'category'])[0]).toLowerCase();
  return TYPES.find(([words]) => words.test(said))?.[1] ?? null;
};

function typeByPrice(price: ListedModel['price']): ListedModel['type'] {
  if (price === null || 'credits' in price) return null;
  return 'input' in price ? 'chat' : 'video';
}

function maintenanceOf(row: Row): string | null {
  for (const value of valuesOf(row, MAINTENANCE)) {
    const flag = flagOf(value);
    if (flag === true) return 'under maintenance';
    const text = isFields(value) ? textOf(valuesOf(spelled(value), ['text', 'message', 'msg', 'reason'])[0]) : textOf(value);
    if (flag === undefined && text !== '') return shortened(text);
  }
  return null;
}

/** On one line, and not longer than a line. */
const shortened = (text: string): string => {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return [...line].slice(0, LONGEST_TEXT).join('');
};

const firstFlag = (row: Row, names: readonly string[]): boolean | null =>
  valuesOf(row, names)
    .map(flagOf)
    .find((flag) => flag !== undefined) ?? null;
