import fc from 'fast-check';
import type { Response } from '../src/exchange.ts';

/** Good answers made odd in what decides nothing: for properties that say that such an answer is read as the good one. */

/** Any JSON value, small. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, '', 'x', '0', 0, -1, 1.5, 1_764_000_000, [], {}, [[]], [null], { '': null }),
  fc.jsonValue({ maxDepth: 2 }),
);

export interface Oddness {
  /** Whether the field decides nothing, so that it may be of any type or missing. `path` has the keys from the root. */
  readonly free: (path: readonly string[]) => boolean;
  /** Names of fields that may be added anywhere; those that are there already are left alone. */
  readonly extra: readonly string[];
  /** Whether fields may be added to the object that stands here. */
  readonly open: (path: readonly string[]) => boolean;
}

/** The value with its free fields changed or gone, fields of other names added, and its keys in any order. */
export function odd(value: unknown, how: Oddness, path: readonly string[] = []): fc.Arbitrary<unknown> {
  if (Array.isArray(value)) return fc.tuple(...value.map((item, at) => odd(item, how, [...path, String(at)])));
  if (typeof value !== 'object' || value === null) return fc.constant(value);
  const fields = Object.entries(value).map(([name, inner]) => {
    const at = [...path, name];
    const same = odd(inner, how, at).map((next) => [[name, next]] as const);
    return how.free(at)
      ? fc.oneof(
          { arbitrary: same, weight: 2 },
          anyJson.map((next) => [[name, next]] as const),
          fc.constant([]),
        )
      : same;
  });
  const names = how.open(path) ? how.extra.filter((name) => !Object.hasOwn(value, name)) : [];
  const added = names.map((name) =>
    fc.oneof(
      { arbitrary: fc.constant([]), weight: 3 },
      anyJson.map((next) => [[name, next]] as const),
    ),
  );
  return fc
    .tuple(...fields, ...added)
    .chain((entries) => fc.shuffledSubarray(entries.flat(), { minLength: entries.flat().length }))
    .map((entries) => Object.fromEntries(entries));
}

/** As it is, or in the envelope of the legacy API. */
export const maybeEnveloped = (value: unknown): fc.Arbitrary<unknown> =>
  fc.constantFrom(
    value,
    { code: 0, data: value },
    { data: value, msg: 'success', code: 0 },
    { code: 200, message: 'ok', data: value },
  );

/** The values as server-sent events, in any of the forms that gateways send them. */
export function asEvents(values: readonly unknown[], end: readonly string[] = ['[DONE]']): fc.Arbitrary<string> {
  const line = fc.constantFrom('\n', '\r\n', '\r');
  const before = fc.constantFrom(
    '',
    ': ping',
    'id: 7',
    'event: message',
    'retry: 1000',
    'event: chunk',
    ': ',
    'data: {}',
    'data:',
  );
  return fc
    .tuple(
      line,
      fc.constantFrom('data: ', 'data:'),
      fc.array(before, { minLength: 1, maxLength: 5 }),
      fc.constantFrom('', '\ufeff'),
    )
    .map(([eol, field, noise, bom]) => {
      const events = [...values.map((value) => JSON.stringify(value)), ...end].map((data, at) => {
        const other = noise[at % noise.length] ?? '';
        const lines = other === '' ? [] : other.startsWith('data') ? [other, ''] : [other];
        return [...lines, `${field}${data}`, '', ''].join(eol);
      });
      return bom + events.join('');
    });
}

/** The bytes in pieces of any size, so also inside of characters. */
export const cutAnywhere = (text: string): fc.Arbitrary<Uint8Array[]> => {
  const bytes = Buffer.from(text);
  return fc.array(fc.nat(bytes.length), { maxLength: 12 }).map((places) => {
    const sorted = [...new Set(places)].sort((a, b) => a - b);
    return [0, ...sorted].map((from, at) => bytes.subarray(from, sorted[at] ?? bytes.length));
  });
};

/** An answer of HTTP 200 whose bytes come in these pieces, and then maybe break off. */
export const responseOf = (
  pieces: readonly Uint8Array[],
  more: { broken?: Error; headers?: Response['headers'] } = {},
): Response => ({
  base: 'http://upstream.test',
  path: '/x',
  status: 200,
  headers: more.headers ?? { 'transfer-encoding': 'chunked' },
  repeatable: true,
  words: undefined,
  drop: () => undefined,
  lost: 'unknown',
  endWithin: () => undefined,
  async *chunks() {
    yield* pieces;
    if (more.broken !== undefined) throw more.broken;
  },
});
