import type { Bytes } from '../bytes.ts';
import type { SortedSet } from './sorted-set.ts';

/*
 * How changes of a store are undone. Functions of their own: a method that makes such a function has its variables put on the heap by each
 * call, also by those of which nothing is kept.
 */
export const textBack = (value: { text: Bytes }, before: Bytes) => () => {
  value.text = before;
};

export const fieldBack = (fields: Map<Bytes, Bytes>, field: Bytes, before: Bytes | undefined) => () => {
  if (before === undefined) fields.delete(field);
  else fields.set(field, before);
};

export const orderBack = (fields: Map<Bytes, Bytes>, order: readonly (readonly [Bytes, Bytes])[]) => () => {
  fields.clear();
  for (const [name, text] of order) fields.set(name, text);
};

export const scoreBack = (set: SortedSet, member: Bytes, before: number | undefined) => () => {
  if (before === undefined) set.remove(member);
  else set.put(member, before);
};
