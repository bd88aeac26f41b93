import { LuaError, type LuaFunction, LuaTable, type LuaValue, luaNumber, numberOf, typeName } from './values.ts';

/** What the compiled code calls; see compile.ts. */

export const truthy = (value: LuaValue): boolean => value !== undefined && value !== false;

function numeric(value: LuaValue): number {
  if (typeof value === 'number') return value;
  const number = typeof value === 'string' ? numberOf(value) : undefined;
  if (number === undefined) throw new LuaError(`attempt to perform arithmetic on a ${typeName(value)} value`);
  return number;
}

const text = (value: LuaValue): string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return luaNumber(value);
  throw new LuaError(`attempt to concatenate a ${typeName(value)} value`);
};

export const add = (a: LuaValue, b: LuaValue): number =>
  typeof a === 'number' && typeof b === 'number' ? a + b : numeric(a) + numeric(b);
export const subtract = (a: LuaValue, b: LuaValue): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : numeric(a) - numeric(b);
export const multiply = (a: LuaValue, b: LuaValue): number => numeric(a) * numeric(b);
export const divide = (a: LuaValue, b: LuaValue): number => numeric(a) / numeric(b);
export const power = (a: LuaValue, b: LuaValue): number => numeric(a) ** numeric(b);
export const negate = (a: LuaValue): number => -numeric(a);
export function modulo(a: LuaValue, b: LuaValue): number {
  const [left, right] = [numeric(a), numeric(b)];
  return left - Math.floor(left / right) * right;
}

export const concat = (a: LuaValue, b: LuaValue): string => text(a) + text(b);

export function length(value: LuaValue): number {
  if (value instanceof LuaTable) return value.length;
  if (typeof value === 'string') return value.length;
  throw new LuaError(`attempt to get length of a ${typeName(value)} value`);
}

export function less(a: LuaValue, b: LuaValue): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a === 'string' && typeof b === 'string') return a < b;
  throw notComparable(a, b);
}

export function lessOrEqual(a: LuaValue, b: LuaValue): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a <= b;
  if (typeof a === 'string' && typeof b === 'string') return a <= b;
  throw notComparable(a, b);
}

export const greater = (a: LuaValue, b: LuaValue): boolean => less(b, a);
export const greaterOrEqual = (a: LuaValue, b: LuaValue): boolean => lessOrEqual(b, a);

function notComparable(a: LuaValue, b: LuaValue): LuaError {
  const [left, right] = [typeName(a), typeName(b)];
  return new LuaError(left === right ? `attempt to compare two ${left} values` : `attempt to compare ${left} with ${right}`);
}

export function index(table: LuaValue, key: LuaValue): LuaValue {
  if (table instanceof LuaTable) return table.get(key);
  throw new LuaError(`attempt to index a ${typeName(table)} value`);
}

export function setIndex(table: LuaValue, key: LuaValue, value: LuaValue): void {
  if (!(table instanceof LuaTable)) throw new LuaError(`attempt to index a ${typeName(table)} value`);
  table.set(key, value);
}

export function refuseChange(): never {
  throw new LuaError('Attempt to modify a readonly table');
}

/** What is called, when it can be. */
export function callable(value: LuaValue): LuaFunction {
  if (typeof value === 'function') return value as LuaFunction;
  throw new LuaError(`attempt to call a ${typeName(value)} value`);
}

/** The numbers of a `for`. */
export function forNumber(value: LuaValue, which: string): number {
  const number = typeof value === 'string' ? numberOf(value) : value;
  if (typeof number === 'number') return number;
  throw new LuaError(`'for' ${which} must be a number`);
}

/** What a table constructor makes: its items, and what has a key, keys and values in turn. */
export function tableOf(items: LuaValue[], named: readonly LuaValue[]): LuaTable {
  const table = new LuaTable(items);
  for (let i = 0; i < named.length; i += 2) table.set(named[i], named[i + 1]);
  return table;
}

/** What is gone through by `pairs` or `ipairs`. */
export function tableIn(value: LuaValue, name: string): LuaTable {
  if (value instanceof LuaTable) return value;
  throw new LuaError(`bad argument #1 to '${name}' (table expected, got ${value === undefined ? 'nil' : typeName(value)})`);
}
