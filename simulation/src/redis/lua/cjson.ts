import { toBytes, toText } from '../bytes.ts';
import { NotModelled } from '../errors.ts';
import { LUA_NULL, LuaError, LuaNull, LuaTable, type LuaValue, luaNumber, typeName } from './values.ts';

/** lua-cjson as Redis 7.0 has it, with its defaults. */

const MOST_DEPTH = 1000;
const SAFE_SPARSE = 10;
const SPARSE_RATIO = 2;

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Bytes behave as characters in JSON, so what stands there as UTF-8 stays as it is; only `\u` makes characters that have to become
 * bytes. What cjson reads beyond JSON (hexadecimal numbers, NaN, raw control characters) is refused here.
 */
function decode(text: LuaValue): LuaValue {
  if (typeof text !== 'string' && typeof text !== 'number')
    throw new LuaError(`bad argument #1 to 'decode' (string expected, got ${text === undefined ? 'nil' : typeName(text)})`);
  const json = String(text);
  const escapes = json.includes('\\u');
  let read: Json;
  try {
    read = JSON.parse(escapes ? characters(json) : json) as Json;
  } catch (error) {
    if (error instanceof NotModelled) throw error;
    throw new LuaError(`Expected value but found invalid token: ${error instanceof Error ? error.message : ''}`);
  }
  return decoded(read, escapes, 0);
}

function characters(json: string): string {
  const text = toText(json);
  if (toBytes(text) !== json) throw new NotModelled('cjson.decode of a text with \\u that is no UTF-8');
  return text;
}

/** @param asText strings are characters still, and have to become bytes */
function decoded(value: Json, asText: boolean, depth: number): LuaValue {
  if (typeof value === 'string') return asText ? toBytes(value) : value;
  if (value === null) return LUA_NULL;
  if (typeof value !== 'object') return value;
  if (depth >= MOST_DEPTH) throw new LuaError('Found too many nested data structures (1001)');
  if (isList(value)) return new LuaTable(value.map((each) => decoded(each, asText, depth + 1)));
  const fields = new Map<LuaValue, LuaValue>();
  for (const key of Object.keys(value)) fields.set(asText ? toBytes(key) : key, decoded(value[key] as Json, asText, depth + 1));
  return new LuaTable([], fields);
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '/': '\\/',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
};

const ESCAPED = /[\p{Cc}"\\/]/u;

/** Bytes from 128 on stay as they are. */
function quoted(text: string): string {
  if (!ESCAPED.test(text)) return `"${text}"`;
  let json = '"';
  for (const character of text) {
    const code = character.charCodeAt(0);
    const control = code < 32 || code === 127;
    json += ESCAPES[character] ?? (control ? `\\u${code.toString(16).padStart(4, '0')}` : character);
  }
  return `${json}"`;
}

/** The length of a table that is a list: its highest index; `null` when it has other keys. */
function listLength({ items, others }: LuaTable): number | null {
  let most = items.length;
  let count = 0;
  for (const item of items) if (item !== undefined) count++;
  for (const key of others.keys()) {
    if (typeof key !== 'number' || key < 1 || !Number.isInteger(key)) return null;
    most = Math.max(most, key);
    count++;
  }
  if (most > count * SPARSE_RATIO && most > SAFE_SPARSE) throw new LuaError('Cannot serialise table: excessively sparse array');
  return most;
}

function encode(value: LuaValue, depth = 0): string {
  if (value === undefined || value instanceof LuaNull) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return encodedNumber(value);
  if (!(value instanceof LuaTable)) throw new LuaError(`Cannot serialise ${typeName(value)}: type not supported`);
  if (depth >= MOST_DEPTH) throw new LuaError('Cannot serialise, excessive depth (1001)');
  const length = listLength(value);
  let json = '';
  if (length !== null && length > 0) {
    for (let i = 1; i <= length; i++) json += `${i > 1 ? ',' : ''}${encode(value.get(i), depth + 1)}`;
    return `[${json}]`;
  }
  for (const [key, each] of value.pairs()) json += `${json === '' ? '' : ','}${encodedKey(key)}:${encode(each, depth + 1)}`;
  return `{${json}}`;
}

function encodedNumber(value: number): string {
  if (!Number.isFinite(value)) throw new LuaError('Cannot serialise number: must not be NaN or Inf');
  return luaNumber(value);
}

function encodedKey(key: LuaValue): string {
  if (typeof key === 'string') return quoted(key);
  if (typeof key === 'number') return `"${encodedNumber(key)}"`;
  throw new LuaError('Cannot serialise table: table key must be a number or string');
}

export const cjsonLibrary = (): LuaTable =>
  new LuaTable(
    [],
    new Map<LuaValue, LuaValue>([
      ['decode', (text) => decode(text)],
      ['encode', (value) => encode(value)],
      ['null', LUA_NULL],
    ]),
  );
