import type { Bytes } from '../bytes.ts';
import { NotModelled, notAnInteger, ReplyError, syntaxError } from '../errors.ts';
import { readDouble, readInteger } from '../numbers.ts';

/** The argument at an index that the arity promises. */
export const at = (args: readonly Bytes[], index: number): Bytes => args[index] ?? '';

export function integer(text: Bytes, error: () => ReplyError = notAnInteger): number {
  const value = readInteger(text);
  if (value === null) throw error();
  return value;
}

export function double(text: Bytes): number {
  const value = readDouble(text);
  if (value === null) throw new ReplyError('ERR value is not a valid float');
  return value;
}

/** A sum that is still a 64-bit integer of Redis; those that JavaScript cannot hold are not modelled. */
export function sum(a: number, b: number): number {
  const total = a + b;
  if (!Number.isSafeInteger(total)) throw new NotModelled(`integers beyond 2^53, such as ${a} + ${b}`);
  return total;
}

/** The part of a list from `start` to `stop`, both included and negative from the end, as indexes of slice(). */
export function rangeOf(length: number, start: number, stop: number): [from: number, to: number] {
  const from = Math.max(0, start < 0 ? length + start : start);
  const to = stop < 0 ? length + stop : stop;
  return [from, Math.max(from, Math.min(to, length - 1) + 1)];
}

/** The cursor of HSCAN and ZSCAN. */
export function checkCursor(args: readonly Bytes[]): void {
  if (!/^\d+$/.test(at(args, 1))) throw new ReplyError('ERR invalid cursor');
}

/** What else they take, which Redis reads only where there is something. */
export function checkCount(name: string, args: readonly Bytes[]): void {
  if (args.length !== 4 || at(args, 2).toUpperCase() !== 'COUNT') throw new NotModelled(`${name} with other options than COUNT`);
  if (integer(at(args, 3)) < 1) throw syntaxError();
}
