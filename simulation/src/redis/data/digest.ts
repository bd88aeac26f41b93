import { createHash } from 'node:crypto';
import type { Entry, Value } from './values.ts';

const sha = (text: string): string => createHash('sha1').update(text, 'latin1').digest('hex');

const PARTS: { readonly [T in Value['type']]: (value: Extract<Value, { type: T }>) => readonly unknown[] } = {
  string: ({ text }) => [text],
  hash: ({ fields }) => [...fields].sort(([a], [b]) => (a < b ? -1 : 1)),
  list: ({ items }) => items,
  set: ({ members }) => [...members].sort(),
  zset: ({ set }) => set.slice().map(({ member, score }) => [member, score === Number.POSITIVE_INFINITY ? 'inf' : score]),
  stream: ({ entries, last }) => [last.ms, last.seq, ...entries.map(({ ms, seq, fields }) => [ms, seq, fields])],
};

/** Of all that stands under a key. */
export function digestOf({ key, value, expiresAt }: Entry): string {
  const parts = (PARTS[value.type] as (value: Value) => readonly unknown[])(value);
  return sha(JSON.stringify([key, value.type, expiresAt, parts]));
}

/** One for all of them, in any order. */
export const joined = (digests: readonly string[]): string => sha([...digests].sort().join());
