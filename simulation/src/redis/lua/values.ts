import type { Bytes } from '../bytes.ts';
import { formatG, plainDigits, readDouble } from '../numbers.ts';

/**
 * Values of Lua as values of JavaScript: nil is `undefined`, a string is its bytes, and a function is one that takes its arguments as
 * they come and answers one value, or an array of any other number of them.
 */
export type LuaValue = undefined | boolean | number | Bytes | LuaTable | LuaFunction | LuaNull;
export type LuaFunction = (...args: LuaValue[]) => LuaResult;
/** No value of Lua is an array, so an array says that there are several or none. */
export type LuaResult = LuaValue | readonly LuaValue[];

/** What `cjson.null` is: a value like no other, and true. */
export class LuaNull {}
export const LUA_NULL = new LuaNull();

/** An error of Lua, with the value that was thrown. */
export class LuaError extends Error {
  override readonly name = 'LuaError';
  readonly value: LuaValue;
  constructor(value: LuaValue) {
    super(typeof value === 'string' ? value : 'an error that is no text');
    this.value = value;
  }
}

const NOTHING: ReadonlyMap<LuaValue, LuaValue> = new Map();

/** `items` are those from 1 on; `undefined` within is nil, and the last is never nil. */
export class LuaTable {
  readonly items: LuaValue[];
  #others: Map<LuaValue, LuaValue> | undefined;

  constructor(items: LuaValue[] = [], others?: Map<LuaValue, LuaValue>) {
    this.items = items;
    this.#others = others;
    this.#trim();
  }

  get length(): number {
    return this.items.length;
  }

  get(key: LuaValue): LuaValue {
    if (typeof key === 'number') {
      const item = this.items[key - 1];
      if (item !== undefined) return item;
    }
    return this.#others?.get(key);
  }

  set(key: LuaValue, value: LuaValue): void {
    if (typeof key === 'number') {
      const { items } = this;
      if (key === items.length + 1) {
        if (value === undefined) this.#others?.delete(key);
        else this.#append(value);
        return;
      }
      if (key >= 1 && key <= items.length && Number.isInteger(key)) {
        items[key - 1] = value;
        if (value === undefined) this.#trim();
        return;
      }
      if (Number.isNaN(key)) throw new LuaError('table index is NaN');
    } else if (key === undefined) throw new LuaError('table index is nil');
    if (value === undefined) this.#others?.delete(key);
    else {
      this.#others ??= new Map();
      this.#others.set(key, value);
    }
  }

  /** What is no item, by its key, in the order in which it came. */
  get others(): ReadonlyMap<LuaValue, LuaValue> {
    return this.#others ?? NOTHING;
  }

  /** All that is not nil: the items in their order, then the others in the order in which they came. */
  pairs(): Iterable<[LuaValue, LuaValue]> {
    return this.items.length === 0 ? this.others : this.#itemsAndOthers();
  }

  *#itemsAndOthers(): Iterable<[LuaValue, LuaValue]> {
    for (let i = 0; i < this.items.length; i++) if (this.items[i] !== undefined) yield [i + 1, this.items[i]];
    yield* this.others;
  }

  #append(value: LuaValue): void {
    const { items } = this;
    items.push(value);
    const others = this.#others;
    if (others === undefined || others.size === 0) return;
    others.delete(items.length);
    for (let next = others.get(items.length + 1); next !== undefined; next = others.get(items.length + 1)) {
      others.delete(items.length + 1);
      items.push(next);
    }
  }

  #trim(): void {
    const { items } = this;
    while (items.length > 0 && items[items.length - 1] === undefined) items.pop();
  }
}

export const typeName = (value: LuaValue): string => {
  if (value === undefined) return 'nil';
  if (value instanceof LuaTable) return 'table';
  if (value instanceof LuaNull) return 'userdata';
  return typeof value;
};

export const luaNumber = (value: number): Bytes => formatG(value, 14);

/** A text as a number, as Lua reads it where it needs one; `undefined` when it is none. */
export function numberOf(text: Bytes): number | undefined {
  const plain = plainDigits(text);
  if (plain !== -1) return plain;
  const digits = text.trim();
  return /^nan$/i.test(digits) ? Number.NaN : (readDouble(digits) ?? undefined);
}

/** The first of what a function has answered. */
export const first = (result: LuaResult): LuaValue => (Array.isArray(result) ? result[0] : (result as LuaValue));

/** All of it. */
export const all = (result: LuaResult): readonly LuaValue[] => (Array.isArray(result) ? result : [result as LuaValue]);
