import type { Fields } from '../json-values.ts';

/**
 * The fields of a row by names without case and separators: `closeModel`, `close_model` and `CloseModel` are one. Of several that say
 * something the first counts.
 */
export function spelled(row: Fields): ReadonlyMap<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const [name, value] of Object.entries(row)) {
    const plain = plainName(name);
    if (saysSomething(value) && !fields.has(plain)) fields.set(plain, value);
  }
  return fields;
}

const plainName = (name: string): string => name.toLowerCase().replace(/[\s_-]/g, '');

const saysSomething = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** What the fields of these names say, in the order of the names. */
export const valuesOf = (fields: ReadonlyMap<string, unknown>, names: readonly string[]): unknown[] =>
  names.map((name) => fields.get(name)).filter(saysSomething);

/** More credits than anything costs. */
const MOST_CREDITS = 1e12;

/** An amount of credits: a number, or a text with one. */
export function amountOf(value: unknown): number | undefined {
  const text = typeof value === 'string' ? value.replace(/[\s,_]/g, '') : undefined;
  const amount = text === undefined ? value : /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return typeof amount === 'number' && amount >= 0 && amount <= MOST_CREDITS ? amount : undefined;
}

const FLAGS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  [1, true],
  ['1', true],
  ['true', true],
  ['yes', true],
  [false, false],
  [0, false],
  ['0', false],
  ['false', false],
  ['no', false],
]);

/** Yes or no, in any of the forms in which it is written. */
export const flagOf = (value: unknown): boolean | undefined =>
  FLAGS.get(typeof value === 'string' ? value.trim().toLowerCase() : value);
