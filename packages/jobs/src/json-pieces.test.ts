import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLonger, jsonPieces } from './json-pieces.ts';

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

test('when keys are sorted then small and large values are written alike', () => {
  const text = (value: unknown) => [...jsonPieces(value, { sorted: true })].join('');
  const reference = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    if (Array.isArray(value)) return `[${value.map(reference)}]`;
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${reference((value as Record<string, unknown>)[name])}`)}}`;
  };
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), fc.constantFrom(0, 40_000), (value, length) => {
      const whole = { value, z: 'z'.repeat(length), a: [value, { value, text: 'z'.repeat(length) }] };
      expect(text({ ...whole, left: undefined })).toBe(reference(whole));
    }),
    { numRuns: 200 },
  );
});

test('when a value is held against a number of bytes then the answer is that of its text', () => {
  const signs = fc.oneof(fc.constant('\u0001'), fc.constant('"'), fc.string({ unit: 'grapheme' }));
  const many = fc.tuple(signs, fc.nat(3000)).map(([text, times]) => Array.from({ length: times }, () => text));
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), many, fc.nat(20_000), (value, texts, bytes) => {
      const named = Object.fromEntries(texts.map((text, i) => [`${text}${i}`, '']));
      for (const each of [value, texts, texts.join(''), named, { value, texts }]) {
        const exact = Buffer.byteLength(JSON.stringify(each));
        for (const limit of [bytes, exact - 1, exact]) expect(isLonger(each, limit)).toBe(exact > limit);
      }
    }),
    { numRuns: 100 },
  );
});

test('when names are short and written as escapes then the signs around them count', () => {
  const named = Object.fromEntries(
    Array.from({ length: 2000 }, (_, i) => [`\u0001${i % 10}${'\u0002'.repeat(i / 10)}`.slice(0, 60), '']),
  );
  const exact = Buffer.byteLength(JSON.stringify(named));
  expect([isLonger(named, exact - 1), isLonger(named, exact)]).toEqual([true, false]);
  const empty = Array.from({ length: 1000 }, () => '');
  expect([isLonger(empty, 3000), isLonger(empty, 3001)]).toEqual([true, false]);
});
