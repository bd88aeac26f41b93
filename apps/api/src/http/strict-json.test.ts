import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStrictJson } from './strict-json.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

test('whatever JSON value is sent, the same value is read', () => {
  // -0 is the one number that JSON text loses.
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value);
      fc.pre(!text.includes('"__proto__"'));
      expect(parseStrictJson(bytes(text))).toEqual(JSON.parse(text));
    }),
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
  ['33 levels', `${'['.repeat(33)}${']'.repeat(33)}`, /deeper than 32/],
])('when the body is %s then it is refused with the reason', (_what, text, reason) => {
  expect(() => parseStrictJson(bytes(text))).toThrow(reason);
});

test('whatever text is sent, it is read or refused', () => {
  const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '\\u00', '"a"', '1', 'null', ' ');
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 20 }), (pieces) => {
      const text = pieces.join('');
      try {
        expect(parseStrictJson(bytes(text))).toEqual(JSON.parse(text));
      } catch (error) {
        expect(error).toMatchObject({ code: 'malformed_json' });
      }
    }),
    { numRuns: 2000 },
  );
});

test('when the bytes are not UTF-8 then they are refused', () => {
  expect(() => parseStrictJson(new Uint8Array([0x22, 0xc3, 0x28, 0x22]))).toThrow(/UTF-8/);
});

test('when keys repeat in different objects, or stand as values, then that is fine', () => {
  const value = { a: { a: 1 }, b: [{ a: 2 }, { a: 'a' }], c: 'a","a' };
  expect(parseStrictJson(bytes(JSON.stringify(value)))).toEqual(value);
});

test('when an escaped surrogate pair is whole then it is read', () => {
  expect(parseStrictJson(bytes('{"a":"\\ud83d\\ude00"}'))).toEqual({ a: '😀' });
});
