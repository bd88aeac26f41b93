import type { FieldError } from '../../validation/validate.ts';

type Body = Readonly<Record<string, unknown>>;

/** What is done with a field that callers of OpenAI send. */
export type FieldRule =
  /** It is the same for us, or has another name. */
  | { readonly kind: 'take'; readonly as?: string }
  /** It means something to the route itself, not to the input of the job. */
  | { readonly kind: 'route' }
  /** It changes nothing here; the answer names it. */
  | { readonly kind: 'ignore' }
  /** Values that say no more than the default are taken as not set; all others are refused, and why. */
  | { readonly kind: 'refuse'; readonly unless?: (value: unknown, body: Body) => boolean; readonly because: string };

export type FieldTable = Readonly<Record<string, FieldRule>>;

export const take = (as?: string): FieldRule => ({ kind: 'take', ...(as === undefined ? {} : { as }) });
export const route: FieldRule = { kind: 'route' };
export const ignore: FieldRule = { kind: 'ignore' };
export const refuse = (because: string, unless?: (value: unknown, body: Body) => boolean): FieldRule => ({
  kind: 'refuse',
  because,
  ...(unless ? { unless } : {}),
});

export const isOneOf =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);
export const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** A body as its table reads it. */
export interface ReadFields {
  /** For the input of the job. */
  input: Record<string, unknown>;
  ignored: string[];
  errors: FieldError[];
}

/** Fields of a body that the table does not know are refused, as a slip of the pen costs money otherwise. Those of `passOn` are left to the caller. */
export function readFields(body: Body, table: FieldTable, passOn: readonly string[] = []): ReadFields {
  const read: ReadFields = { input: {}, ignored: [], errors: [] };
  for (const [name, value] of Object.entries(body)) {
    const rule = Object.hasOwn(table, name) ? table[name] : undefined;
    if (passOn.includes(name)) continue;
    const because = refusedBecause(rule, value, body);
    if (because !== null) read.errors.push({ pointer: `/${name}`, message: because });
    else if (rule?.kind === 'ignore') read.ignored.push(name);
    else if (rule?.kind === 'take') read.input[rule.as ?? name] = value;
  }
  return read;
}

function refusedBecause(rule: FieldRule | undefined, value: unknown, body: Body): string | null {
  if (rule === undefined) return 'unknown field';
  return rule.kind === 'refuse' && rule.unless?.(value, body) !== true ? rule.because : null;
}
