/** A JSON object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The field as a string without surrounding space, or an empty one; numbers count, since ids and codes come as both. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : '';
}

/** Says nothing, whatever its type. */
export function isVoid(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === null || value === undefined || value === '' || value === false;
}

/** A run of digits that may be an integer too large for a number, and no fraction. */
const LONG = /(?<![\d.])\d{16}/;

/** `from` is the source text of the value, which Node hands to a reviver and the library's types do not know yet. */
function keepDigits(...[, value, from]: [key: string, value: unknown, from?: { source?: string }]): unknown {
  const digits = typeof value === 'number' && from?.source !== undefined && /^-?\d+$/.test(from.source) ? from.source : undefined;
  return digits === undefined || digits === String(value) || value === 0 ? value : digits;
}

/** The value of a JSON text; `undefined` when it is none. An integer that a number cannot hold is the text of its digits: it may be an id. */
export function readJson(text: string): unknown {
  try {
    return LONG.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A value that is written as JSON in a text. */
export const parsed = (value: unknown): unknown =>
  typeof value === 'string' && /^\s*[{[]/.test(value) ? (readJson(value) ?? value) : value;
