import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineSplitter } from './line-splitter.ts';

const LIMITS = { lines: 1000, lineBytes: 1000 };
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** The body cut at these places. */
function cut(body: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (body.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => body.subarray(from, at[i] ?? body.length));
}

function split(chunks: readonly Uint8Array[], limits = LIMITS): [number, string][] {
  const splitter = createLineSplitter(limits);
  const lines = [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
  return lines.map(({ number, bytes }) => [number, text(bytes)]);
}

test('wherever the chunks of a body end, its lines are the same', () => {
  const anyLine = fc.string({ maxLength: 30, unit: fc.constantFrom('a', '灯', '\r', ' ', '"', '😀') });
  fc.assert(
    fc.property(
      fc.array(anyLine, { maxLength: 30 }),
      fc.array(fc.nat(2000), { maxLength: 30 }),
      fc.boolean(),
      (lines, places, end) => {
        const body = Buffer.from(lines.join('\n') + (end ? '\n' : ''));
        // A last line without anything in it is none.
        const expected = end || lines.at(-1) !== '' ? lines : lines.slice(0, -1);
        fc.pre(!(end && lines.length === 0));
        expect(split(cut(body, places))).toEqual(expected.map((line, i) => [i + 1, line]));
      },
    ),
  );
});

test('when a line is as long as it may be then it is read, and one byte more is refused before its end has come', () => {
  const limits = { lines: 10, lineBytes: 8 };
  expect(split([Buffer.from('12345678\n12345678')], limits)).toHaveLength(2);
  const splitter = createLineSplitter(limits);
  expect(splitter.push(Buffer.from('\n12345'))).toHaveLength(1);
  expect(() => splitter.push(Buffer.from('6789'))).toThrow('Line 2 is longer than 8 bytes');
});

test('when there is one line more than allowed then it is refused; empty ones at the end are not counted, but have an end', () => {
  const limits = { lines: 3, lineBytes: 8 };
  expect(split([Buffer.from('1\n2\n3\n\n\n')], limits)).toHaveLength(5);
  expect(() => split([Buffer.from('1\n2\n3\n4')], limits)).toThrow('limited to 3 lines');
  expect(() => split([Buffer.from('1\n2\n3\n\n\n\n\n')], limits)).toThrow('limited to 3 lines');
});

test('when a line comes in many small chunks then it is gathered, and none of them is kept', () => {
  const splitter = createLineSplitter({ lines: 10, lineBytes: 100 });
  const chunk = Buffer.alloc(1);
  const lines = [...'abcdefghij\nklm\n'].flatMap((letter, i) => {
    // The first one may be kept as it is; the others are overwritten by the next.
    if (i === 0) return splitter.push(Buffer.from(letter));
    chunk.write(letter);
    return splitter.push(letter === 'k' ? Buffer.from(letter) : chunk);
  });
  expect(lines.map(({ bytes }) => text(bytes))).toEqual(['abcdefghij', 'klm']);
});
