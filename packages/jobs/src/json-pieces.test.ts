import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonPieces } from './json-pieces.ts';

const LONGEST = 6 * 32 * 1024 + 64 * 1024;

test('when any value is written in pieces then together they are what JSON.stringify writes', () => {
  const long = fc
    .tuple(fc.string({ unit: 'grapheme' }), fc.nat(70_000))
    .map(([text, times]) => `${'a'.repeat(times)}${text}${text}`);
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), long, (value, text) => {
      for (const each of [value, { text, value }, [text, value], { value: undefined, text }])
        expect([...jsonPieces(each)].join('')).toBe(JSON.stringify(each));
    }),
    { numRuns: 100 },
  );
});

test('when a pair of surrogates stands where a text is cut then it is not torn apart', () => {
  for (const before of [32_766, 32_767, 32_768]) {
    const text = `${'a'.repeat(before)}${'😀'.repeat(40_000)}`;
    expect([...jsonPieces({ text })].join('')).toBe(JSON.stringify({ text }));
  }
});

test('when a value is large then no piece of it is', () => {
  const messages = Array.from({ length: 300 }, (_, i) => ({ role: 'user', content: '\u0001'.repeat(i * 100) }));
  const pieces = [...jsonPieces({ picture: 'A'.repeat(5_000_000), messages, marks: Array.from({ length: 100_000 }, () => 1) })];
  expect(pieces.length).toBeGreaterThan(150);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(LONGEST);
});

test('when keys are sorted then their order does not matter, at any depth', () => {
  const text = (value: unknown) => [...jsonPieces(value, { sorted: true })].join('');
  expect(text({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
  expect(text({ a: null, b: [{ c: 2, d: 1 }] })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
});
