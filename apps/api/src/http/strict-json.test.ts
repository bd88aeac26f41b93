import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readJson } from './json-reader.ts';
import { JSON_LIMITS, parseStrictJson, parseStrictText } from './strict-json.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('whatever JSON value is sent, the same value is read', async () => {
  // -0 is the one number that JSON text loses.
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 1, 4), async (value, blanks) => {
      const text = JSON.stringify(value, null, blanks);
      fc.pre(!text.includes('"__proto__"'));
      expect(await parseStrictJson(bytes(text))).toEqual(JSON.parse(text));
      expect(parseStrictText(Buffer.from(text))).toEqual(JSON.parse(text));
    }),
  );
});

/** As it is read without the short cut for plain texts. */
function strictly(text: string): unknown {
  const reader = readJson(Buffer.from(text), JSON_LIMITS.job);
  for (;;) {
    const { done, value } = reader.next();
    if (done === true) return value;
  }
}

test('when a short text is plain then it is read as the strict reader reads it, and when that refuses it then it is refused', () => {
  const key = fc.constantFrom('a', 'b', '__proto__', '\\u0061', 'constructor', '1');
  const scalar = fc.constantFrom(
    '1',
    '1.0',
    '-0',
    '1e2',
    'true',
    'null',
    '"x"',
    '"\\ud800"',
    '"\\n"',
    '"\\/"',
    '"中"',
    '9007199254740993',
  );
  const { value: texts } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      scalar,
      fc.array(tie('value'), { maxLength: 3 }).map((list) => `[${list.join()}]`),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 3 }).map((pairs) => `{${pairs.map(([k, v]) => `"${k}":${v}`).join()}}`),
      tie('value').map((inner) => '['.repeat(31) + inner + ']'.repeat(31)),
    ),
  }));
  const outcome = (read: () => unknown) => {
    try {
      return { value: read() };
    } catch {
      return 'refused';
    }
  };
  fc.assert(
    fc.property(texts, (text) => {
      expect(outcome(() => parseStrictText(Buffer.from(text)))).toEqual(outcome(() => strictly(text)));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['nothing', '', /empty/],
  ['cut JSON', '{"a":', /not valid JSON/],
  ['two values', '{} {}', /not valid JSON/],
  ['a comment', '{/* */}', /not valid JSON/],
  ['NaN', '{"a":NaN}', /not valid JSON/],
  ['a duplicate key', '{"a":1,"b":{},"a":2}', /"a" stands twice/],
  ['a duplicate key spelt with an escape', '{"a":1,"\\u0061":2}', /"a" stands twice/],
  ['a duplicate key below an array', '[{"x":[{"k":"}"},{"k":1,"k":1}]}]', /"k" stands twice/],
  ['__proto__', '{"__proto__":{"admin":true}}', /__proto__/],
  ['a lone surrogate', '{"a":"\\ud800"}', /surrogate/],
  ['a lone surrogate in a key', '{"\\udfff":1}', /surrogate/],
  ['an object of 1001 keys', `{"a":{${Array.from({ length: 1001 }, (_, i) => `"k${i}":1`).join()}}}`, /more than 1000 keys/],
  ['millions of values', `[${'[],'.repeat(1_600_000)}[]]`, /too many values/],
  ['nothing but blanks', ' \n\t ', /empty/],
  ['33 levels', `${'['.repeat(33)}${']'.repeat(33)}`, /deeper than 32/],
  ['200 001 values', `[${'1,'.repeat(200_000)}1]`, /more than 200000 brackets and commas/],
  ['a number of a million digits', `{"a":${'1'.repeat(1_000_000)}}`, /a number of more than 128 characters/],
  ['a number with a long exponent', `[1e${'0'.repeat(200)}1]`, /a number of more than 128 characters/],
  ['a key of 17 KiB', `{"${'k'.repeat(17 * 1024)}":1}`, /a key of more than 16384 bytes, which begins with "kkk/],
  ['a key of a megabyte', `{"${'\\"'.repeat(500_000)}":1}`, /a key of more than 16384 bytes/],
  ['a text without an end', `{"a":"${'x'.repeat(100_000)}`, /it ends too early/],
  ['blanks without an end', `{"a":${' '.repeat(300_000)}`, /it ends too early/],
  ['a line break in a long text', `{"a":"${'x'.repeat(200_000)}\n"}`.replace('\\n', '\n'), /unexpected/],
  ['a cut escape at the end of a piece', `{"a":"${'x'.repeat(64 * 1024 - 3)}\\u12"}`, /not valid JSON/],
])('when the body is %s then it is refused with the reason', async (_what, text, reason) => {
  await expect(parseStrictJson(bytes(text))).rejects.toThrow(reason);
});

/** Texts that JSON.parse would hold the loop for, each at a size at which it is read in many pieces. */
const LONG = 3_000_000;
test.each([
  ['digits of base64', JSON.stringify({ a: 'A'.repeat(LONG) })],
  ['base64 in lines', JSON.stringify({ a: `${'A'.repeat(76)}\n`.repeat(LONG / 77) })],
  ['base64 as PHP writes it', `{"a":"${`${'A'.repeat(63)}\\/`.repeat(LONG / 65)}"}`],
  ['escaped characters', `{"a":"${'\\u4e2d'.repeat(LONG / 6)}"}`],
  ['pairs of surrogates', `{"a":"x${'\\ud83d\\ude00'.repeat(LONG / 12)}"}`],
  ['escaped quotes', `{"a":"${'\\"'.repeat(LONG / 2)}"}`],
  ['backslashes', `{"a":"${'\\\\'.repeat(LONG / 2)}"}`],
  ['characters of three bytes', JSON.stringify({ a: `x${'中'.repeat(LONG / 3)}` })],
  ['characters of four bytes', JSON.stringify({ a: `xx${'😀'.repeat(LONG / 4)}` })],
  ['blanks', `{"a":${' '.repeat(LONG)}1${'\n'.repeat(LONG)}}`],
  ['short texts', JSON.stringify(Array.from({ length: 30_000 }, (_, i) => ({ role: 'user', content: `word ${i}\n`.repeat(8) })))],
])('when a large body is of %s then it is read, in slices that end', (_what, text) => {
  const reader = readJson(Buffer.from(text), JSON_LIMITS.job);
  let slices = 0;
  let step = reader.next();
  for (; step.done !== true; step = reader.next()) slices += 1;
  expect(step.value).toEqual(JSON.parse(text));
  // A slice looks at 128 KiB, and may end a piece of a text more.
  expect(slices).toBeGreaterThan(Buffer.byteLength(text) / (256 * 1024) - 1);
});

test('whatever text is sent, it is read or refused', async () => {
  const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '\\u00', '"a"', '1', 'null', ' ');
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 20 }), async (pieces) => {
      const text = pieces.join('');
      try {
        expect(await parseStrictJson(bytes(text))).toEqual(JSON.parse(text));
      } catch (error) {
        expect(error).toMatchObject({ code: 'malformed_json' });
      }
    }),
    { numRuns: 2000 },
  );
});

test('when the bytes are not UTF-8 then they are refused', async () => {
  await expect(parseStrictJson(new Uint8Array([0x22, 0xc3, 0x28, 0x22]))).rejects.toThrow(/UTF-8/);
});

test('when keys repeat in different objects, or stand as values, then that is fine', async () => {
  const value = { a: { a: 1 }, b: [{ a: 2 }, { a: 'a' }], c: 'a","a' };
  expect(await parseStrictJson(bytes(JSON.stringify(value)))).toEqual(value);
});

test('when an escaped surrogate pair is whole then it is read', async () => {
  expect(await parseStrictJson(bytes('{"a":"\\ud83d\\ude00"}'))).toEqual({ a: '😀' });
});
