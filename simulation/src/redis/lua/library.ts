import { NotModelled } from '../errors.ts';
import { formatFixed, formatG } from '../numbers.ts';
import { cjsonLibrary } from './cjson.ts';
import { tableIn, truthy } from './operators.ts';
import { LuaError, type LuaFunction, LuaTable, type LuaValue, luaNumber, numberOf, typeName } from './values.ts';

/** Redis builds Lua with this. */
const MOST_UNPACKED = 7999;

const library = (functions: Readonly<Record<string, LuaValue>>): LuaTable => new LuaTable([], new Map(Object.entries(functions)));

function number(value: LuaValue, place: number, name: string): number {
  const read = typeof value === 'string' ? numberOf(value) : value;
  if (typeof read === 'number') return read;
  throw new LuaError(
    `bad argument #${place} to '${name}' (number expected, got ${value === undefined ? 'no value' : typeName(value)})`,
  );
}

function text(value: LuaValue, place: number, name: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return luaNumber(value);
  throw new LuaError(
    `bad argument #${place} to '${name}' (string expected, got ${value === undefined ? 'no value' : typeName(value)})`,
  );
}

export function luaText(value: LuaValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return luaNumber(value);
  if (value === undefined) return 'nil';
  if (typeof value === 'boolean') return String(value);
  // The address of a table differs from run to run.
  throw new NotModelled(`tostring of a ${typeName(value)}`);
}

function toNumber(value?: LuaValue, base?: LuaValue): LuaValue {
  if (base !== undefined && base !== 10) throw new NotModelled('tonumber with a base');
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? numberOf(value) : undefined;
}

function unpack(list?: LuaValue, from?: LuaValue, to?: LuaValue): readonly LuaValue[] {
  const table = tableIn(list, 'unpack');
  const [start, end] = [
    from === undefined ? 1 : number(from, 2, 'unpack'),
    to === undefined ? table.length : number(to, 3, 'unpack'),
  ];
  if (end - start + 1 > MOST_UNPACKED) throw new LuaError('too many results to unpack');
  if (start === 1 && end === table.length) return table.items;
  const values: LuaValue[] = [];
  for (let i = start; i <= end; i++) values.push(table.get(i));
  return values;
}

const next: LuaFunction = (list, key) => {
  let found = key === undefined;
  for (const pair of tableIn(list, 'next').pairs()) {
    if (found) return pair;
    found = pair[0] === key;
  }
  return undefined;
};

/** What a script throws, as `pcall` answers it. */
export function thrownValue(error: unknown): LuaValue {
  if (error instanceof LuaError) return error.value;
  if (error instanceof RangeError) return 'stack overflow';
  throw error;
}

const pcall: LuaFunction = (f, ...args) => {
  try {
    if (typeof f !== 'function') throw new LuaError(`attempt to call a ${typeName(f)} value`);
    const result = f(...args);
    return Array.isArray(result) ? [true, ...result] : [true, result as LuaValue];
  } catch (error) {
    const value = thrownValue(error);
    // As Redis wraps pcall: an error of a command is its text.
    const err = value instanceof LuaTable ? value.get('err') : undefined;
    return [false, typeof err === 'string' ? err : value];
  }
};

const BASE: Readonly<Record<string, LuaFunction>> = {
  tonumber: toNumber,
  tostring: luaText,
  type: (...args) => {
    if (args.length === 0) throw new LuaError("bad argument #1 to 'type' (value expected)");
    return typeName(args[0]);
  },
  unpack,
  next,
  pairs: (list) => [next, tableIn(list, 'pairs'), undefined],
  ipairs: (list) => [
    (table, i) => {
      const place = (i as number) + 1;
      const value = (table as LuaTable).get(place);
      return value === undefined ? undefined : [place, value];
    },
    tableIn(list, 'ipairs'),
    0,
  ],
  pcall,
  error: (value) => {
    throw new LuaError(value);
  },
  assert: (...args) => {
    if (truthy(args[0])) return args;
    throw new LuaError(args.length > 1 ? args[1] : 'assertion failed!');
  },
  select: (which, ...args) => {
    if (which === '#') return args.length;
    const from = number(which, 1, 'select');
    if (from < -args.length || from === 0) throw new LuaError("bad argument #1 to 'select' (index out of range)");
    return args.slice(from > 0 ? from - 1 : from);
  },
};

/** Places of a text as string.sub counts them, from 1 and negative from the end, as those of slice(). */
function slice(of: string, from: number, to: number): string {
  const start = from < 0 ? Math.max(0, of.length + from) : Math.max(0, from - 1);
  const end = to < 0 ? of.length + to + 1 : to;
  return end <= start ? '' : of.slice(start, end);
}

function find(of: LuaValue, what: LuaValue, from?: LuaValue, plain?: LuaValue): readonly LuaValue[] | undefined {
  const [whole, part] = [text(of, 1, 'find'), text(what, 2, 'find')];
  if (!truthy(plain) && /[\^$*+?.([%-]/.test(part)) throw new NotModelled('patterns of string.find');
  const given = from === undefined ? 1 : number(from, 3, 'find');
  const start = given < 0 ? Math.max(0, whole.length + given) : Math.max(0, given - 1);
  const at = start > whole.length ? -1 : whole.indexOf(part, start);
  return at === -1 ? undefined : [at + 1, at + part.length];
}

/** `%d`, `%s` and `%.<n>f`, `%.<n>g`: no others. */
function format(pattern: LuaValue, ...args: readonly LuaValue[]): string {
  let at = 0;
  return text(pattern, 1, 'format').replace(
    /%(%|(?:\.(\d+))?([a-zA-Z])|.)/g,
    (whole, sign: string, digits?: string, kind?: string) => {
      if (sign === '%') return '%';
      const place = ++at;
      const value = args[place - 1];
      if (kind === 's' && digits === undefined) return luaText(value);
      const given = number(value, place + 1, 'format');
      if (kind === 'd' && digits === undefined) return BigInt(Math.trunc(given)).toString();
      if (kind === 'f' && Number.isFinite(given) && Math.abs(given) < 1e21) return formatFixed(given, Number(digits ?? 6));
      if (kind === 'g') return formatG(given, Number(digits ?? 6) || 1);
      throw new NotModelled(`string.format with ${whole} for ${given}`);
    },
  );
}

const STRING = library({
  sub: (of, from, to) => slice(text(of, 1, 'sub'), number(from, 2, 'sub'), to === undefined ? -1 : number(to, 3, 'sub')),
  len: (of) => text(of, 1, 'len').length,
  lower: (of) => text(of, 1, 'lower').replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  upper: (of) => text(of, 1, 'upper').replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
  rep: (of, times) => text(of, 1, 'rep').repeat(Math.max(0, number(times, 2, 'rep'))),
  find,
  format,
} satisfies Record<string, LuaFunction>);

const TABLE = library({
  insert: (...args) => {
    const table = tableIn(args[0], 'insert');
    if (args.length === 2) table.set(table.length + 1, args[1]);
    else if (args.length === 3) {
      const place = number(args[1], 2, 'insert');
      for (let i = table.length; i >= place; i--) table.set(i + 1, table.get(i));
      table.set(place, args[2]);
    } else throw new LuaError("wrong number of arguments to 'insert'");
    return [];
  },
  remove: (list, from) => {
    const table = tableIn(list, 'remove');
    const last = table.length;
    const place = from === undefined ? last : number(from, 2, 'remove');
    if (place < 1 || place > last) return [];
    const removed = table.get(place);
    for (let i = place; i < last; i++) table.set(i, table.get(i + 1));
    table.set(last, undefined);
    return removed;
  },
  concat: (list, between) =>
    tableIn(list, 'concat')
      .items.map((item, i) => {
        if (typeof item === 'string' || typeof item === 'number') return luaText(item);
        throw new LuaError(`invalid value (${typeName(item)}) at index ${i + 1} in table for 'concat'`);
      })
      .join(between === undefined ? '' : text(between, 2, 'concat')),
  getn: (list) => tableIn(list, 'getn').length,
} satisfies Record<string, LuaFunction>);

const numbers = (args: readonly LuaValue[], name: string): number[] => {
  if (args.length === 0) throw new LuaError(`bad argument #1 to '${name}' (number expected, got no value)`);
  return args.map((value, i) => number(value, i + 1, name));
};

const MATH = library({
  floor: (value) => Math.floor(number(value, 1, 'floor')),
  ceil: (value) => Math.ceil(number(value, 1, 'ceil')),
  abs: (value) => Math.abs(number(value, 1, 'abs')),
  max: (...args) => Math.max(...numbers(args, 'max')),
  min: (...args) => Math.min(...numbers(args, 'min')),
  huge: Number.POSITIVE_INFINITY,
});

/** What scripts find beside `redis`, KEYS and ARGV. Nothing of it is random or reads a clock. */
export const LIBRARY: ReadonlyMap<string, LuaValue> = new Map<string, LuaValue>([
  ...Object.entries(BASE),
  ['string', STRING],
  ['table', TABLE],
  ['math', MATH],
  ['cjson', cjsonLibrary()],
]);
