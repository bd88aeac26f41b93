import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linesOf } from './lines.ts';
import { readNdjson } from './ndjson.ts';
import { readEventStream } from './sse.ts';

/** `text` in pieces that are cut at any byte, in the middle of a character too. */
async function* pieces(text: string, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const to of [...places, bytes.length]) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

const cuts = fc.array(fc.nat({ max: 10_000 }), { maxLength: 40 });
const oneLine = fc.string({ unit: fc.constantFrom('a', ' ', ':', '"', '\\', '\0', '\uFEFF', 'é', '漢', '😀', '\u2028') });

describe('linesOf', () => {
  test('when a text is cut anywhere then its lines come as if it was whole, whatever ends them', async () => {
    const ended = fc.tuple(oneLine, fc.constantFrom('\n', '\r\n', '\r'));
    await fc.assert(
      fc.asyncProperty(fc.array(ended), cuts, async (lines, at) => {
        // A lone \r before an empty line that ends in \n would be one end, not two.
        const text = lines.map(([line, end]) => `·${line}${end}`).join('');
        const read = await Array.fromAsync(linesOf(pieces(text, at)));
        expect(read).toEqual(lines.map(([line]) => ({ line: `·${line}`, ended: true })));
      }),
    );
  });

  test('when the last line has no end then it comes as one that was cut', async () => {
    expect(await Array.fromAsync(linesOf(pieces('a\nb', [])))).toEqual([
      { line: 'a', ended: true },
      { line: 'b', ended: false },
    ]);
  });
});

describe('readNdjson', () => {
  test('when values are written as lines and cut anywhere then the same values are read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), cuts, fc.boolean(), async (values, at, blank) => {
        const text = values.map((value) => `${JSON.stringify(value)}\n${blank ? '\r\n' : ''}`).join('');
        const read = await Array.fromAsync(readNdjson(pieces(text, at)));
        expect(read).toEqual(values.map((value) => ({ value: JSON.parse(JSON.stringify(value)), text: JSON.stringify(value) })));
      }),
    );
  });

  test('when a line was cut then it throws after the whole ones', async () => {
    const read: unknown[] = [];
    const reading = async () => {
      for await (const value of readNdjson(pieces('{"line":1}\n{"line', []))) read.push(value);
    };
    await expect(reading()).rejects.toThrow(SyntaxError);
    expect(read).toEqual([{ value: { line: 1 }, text: '{"line":1}' }]);
  });
});

describe('readEventStream', () => {
  test('when messages and comments are cut anywhere then each message is read once, as it was written', async () => {
    const message = fc.record({
      id: fc.nat(),
      event: fc.constantFrom('job.started', 'job.succeeded'),
      data: fc.array(oneLine, { minLength: 1 }),
    });
    const end = fc.constantFrom('\n', '\r\n');
    await fc.assert(
      fc.asyncProperty(fc.array(message), cuts, end, fc.boolean(), async (messages, at, nl, bom) => {
        const blocks = messages.map(({ id, event, data }) =>
          [': still here', `id: ${id}`, `event: ${event}`, ...data.map((line) => `data: ${line}`), '', ''].join(nl),
        );
        const text = `${bom ? '\uFEFF' : ''}: hello${nl}${nl}${blocks.join('')}`;
        const read = await Array.fromAsync(readEventStream(pieces(text, at)));
        expect(read).toEqual(messages.map(({ id, event, data }) => ({ id: `${id}`, event, data: data.join('\n') })));
      }),
    );
  });

  test('when the stream ends within a message then that message is dropped', async () => {
    const read = await Array.fromAsync(readEventStream(pieces('id: 1\ndata: a\n\nid: 2\ndata: b\n', [])));
    expect(read).toEqual([{ id: '1', event: 'message', data: 'a' }]);
  });
});
