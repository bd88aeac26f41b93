import { z } from 'zod';

/** Kinds of variables. Each takes what can mean one thing only, and says of the rest what to write. */

const YES_NO: Readonly<Record<string, boolean>> = {
  ...{ true: true, yes: true, on: true, 1: true },
  ...{ false: false, no: false, off: false, 0: false },
};

/** A switch: `true` or `false`, and the words that can only mean these. */
export const flag = (fallback: boolean) =>
  z
    .string()
    .toLowerCase()
    .default(fallback ? 'true' : 'false')
    .refine((value) => Object.hasOwn(YES_NO, value), 'must be true or false')
    .transform((value) => YES_NO[value] === true);

/** One of some words, in capitals or not. */
export const choice = <const T extends readonly [string, ...string[]]>(words: T, fallback: T[number]) =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(words, { error: `must be one of: ${words.join(', ')}` }))
    .default(fallback);

const DIGITS = /^\d+$/;
const DIGITS_ONLY = 'in digits only, without a sign, a point, an exponent, separators or a unit';

/** A whole number within limits. */
export const integer = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(DIGITS, `must be a whole number from ${min} to ${max}, ${DIGITS_ONLY}`)
    .transform(Number)
    .refine((value) => value >= min, `must be at least ${min}`)
    .refine((value) => value <= max, `must be at most ${max}`)
    .default(fallback);

/** A number of days within limits, whole or with a point: 0.5 is twelve hours. */
export const days = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, `must be a number of days from ${min} to ${max}, in digits, such as 7 or 0.5`)
    .transform(Number)
    .refine((value) => value >= min, `must be at least ${min}`)
    .refine((value) => value <= max, `must be at most ${max}`)
    .default(fallback);

/** A whole number where the default depends on other variables: `auto`. */
export const integerOrAuto = (min: number, max: number): z.ZodType<number | 'auto'> =>
  z
    .string()
    .toLowerCase()
    .default('auto')
    .refine(
      (value) => value === 'auto' || (DIGITS.test(value) && Number(value) >= min && Number(value) <= max),
      `must be auto or a whole number from ${min} to ${max}, ${DIGITS_ONLY}`,
    )
    .transform((value) => (value === 'auto' ? value : Number(value)));

/** A limit that can be switched off: a whole number within limits, or `off` or 0, which read as 0. Off by default. */
export const integerOrOff = (min: number, max: number) =>
  z
    .string()
    .toLowerCase()
    .default('off')
    .transform((value) => (value === 'off' ? '0' : value))
    .pipe(z.string().regex(DIGITS, `must be off or a whole number from ${min} to ${max}, ${DIGITS_ONLY}`))
    .transform(Number)
    .refine((value) => value === 0 || (value >= min && value <= max), `must be off or from ${min} to ${max}`);

/** Items between commas, each once; spaces around them and commas too many do not matter. */
export const itemsOf = (value: string): string[] => [
  ...new Set(
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  ),
];

/** Names of fields between commas, each once, and none of those that have a meaning here. */
export const fieldNames = (taken: readonly string[]) =>
  z
    .string()
    .default('')
    .transform(itemsOf)
    .refine(
      (names) => names.every((name) => /^[a-z][a-z0-9_]{0,63}$/.test(name)),
      'must be names such as logit_bias, with commas between them',
    )
    .refine((names) => !names.some((name) => taken.includes(name)), `must be none of ${taken.join(', ')}`);

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2 };
const SIZE = /^(\d+)(b|kb|mb)$/i;

/** A size within limits such as `20mb`, `512kb` or `1000b`; the answer is in bytes (1 kb = 1024). */
export const byteSize = (min: string, max: string, fallback: string) =>
  z
    .string()
    .regex(SIZE, `must be a size from ${min} to ${max}: digits and b, kb or mb, such as 20mb or 512kb`)
    .default(fallback)
    .transform(bytesOf)
    .refine((bytes) => bytes >= bytesOf(min) && bytes <= bytesOf(max), `must be from ${min} to ${max}`);

function bytesOf(size: string): number {
  const [, digits, unit = ''] = SIZE.exec(size) ?? [];
  return Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
}

const QUOTA = /^(\d{1,15})(b|kb|mb|gb)?$/;

/** A limit in bytes that can be switched off: digits with or without a unit, or `off` or 0, which read as 0; `auto` where that is the default. */
export function bytesOrOff(fallback: 'off'): z.ZodType<number>;
export function bytesOrOff(fallback: 'auto'): z.ZodType<number | 'auto'>;
export function bytesOrOff(fallback: 'off' | 'auto'): z.ZodType<number | 'auto'> {
  const words = fallback === 'auto' ? 'auto, off' : 'off';
  return z
    .string()
    .toLowerCase()
    .default(fallback)
    .refine(
      (value) => value === 'off' || value === fallback || QUOTA.test(value),
      `must be ${words} or a size in digits and b, kb, mb or gb, such as 512mb`,
    )
    .transform((value) => {
      if (value === 'auto') return value;
      const [, digits = '0', unit = 'b'] = QUOTA.exec(value) ?? [];
      return Number(digits) * (unit === 'gb' ? 1024 ** 3 : (UNITS[unit] ?? 1));
    });
}

/** The path of a file. */
export const filePath = () =>
  z
    .string()
    .refine((value) => !/^[[{]/.test(value), { error: 'must be the path of a file, and not what stands in it', abort: true })
    .refine((value) => !/^[a-z]+:\/\//i.test(value), {
      error: 'must be the path of a file on this machine, and no address',
      abort: true,
    })
    .refine((value) => !/[/\\]$/.test(value), 'must be the path of a file; this is one of a folder');

/** A key or token: visible ASCII without spaces, alone. */
export const secret = (min: number) =>
  z
    .string()
    .refine((value) => !/^(bearer|authorization)\b[:\s]/i.test(value), {
      error: 'begins with words of an HTTP header: write the key alone, without "Bearer"',
      abort: true,
    })
    .refine((value) => /^[\x21-\x7e]+$/.test(value), {
      error: ({ input }) =>
        `must be visible ASCII without spaces; character ${String(input).search(/[^\x21-\x7e]/) + 1} is not (copied from a page or a document?)`,
      abort: true,
    })
    .min(min, `must have at least ${min} characters`);
