import { expect, test } from 'vitest';
import { type Chunk, PieceDecoder, PieceEncoder } from './pieces.ts';

const HEAD = { id: 'c-1', object: 'chat.completion.chunk', created: 7, model: 'm' };
const chunk = (delta: object, more: object = {}): Chunk => ({
  ...HEAD,
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
});
const texts = (chunks: readonly Chunk[]) =>
  chunks.map((each) => (each['choices'] as [{ delta: { content?: string } }])[0].delta.content ?? '').join('');

/** Writes chunks in writes of so many, and reads them. */
function through(chunks: readonly Chunk[], perWrite: number): { read: Chunk[]; bytes: number; counted: boolean } {
  const [encoder, decoder] = [new PieceEncoder(), new PieceDecoder()];
  const read: Chunk[] = [];
  let [bytes, counted] = [0, true];
  for (let at = 0; at < chunks.length; at += perWrite) {
    for (const each of chunks.slice(at, at + perWrite)) encoder.add(each);
    const { pieces, count } = encoder.take();
    const decoded = decoder.read(pieces);
    counted &&= decoded.length === count;
    bytes += pieces.length;
    read.push(...decoded);
  }
  return { read, bytes, counted };
}

test('when chunks differ in their text alone then most of them is written once, and they are read as they came', () => {
  const chunks = [
    chunk({ role: 'assistant', content: 'A' }),
    ...Array.from({ length: 500 }, (_, n) => chunk({ content: ` ${n}` })),
    chunk({}, { finish_reason: 'stop' }),
    { ...HEAD, choices: [], usage: { total_tokens: 3 } },
  ];
  const one = through(chunks, 1);
  expect(one.read).toEqual(chunks);
  expect(one.counted).toBe(true);
  expect(one.bytes).toBeLessThan(500 * 8 + 600);
});

test('when texts come faster than they are taken then they are joined, and none is lost', () => {
  const chunks = Array.from({ length: 100 }, (_, n) => chunk({ content: `${n},` }));
  const { read, counted } = through(chunks, 25);
  expect(read).toHaveLength(5);
  expect(counted).toBe(true);
  expect(texts(read)).toBe(texts(chunks));
});

test.each<[string, Chunk[]]>([
  [
    'thoughts before the text',
    [chunk({ reasoning_content: 'hm' }), chunk({ reasoning_content: ' so' }), chunk({ content: 'A' }), chunk({ content: 'B' })],
  ],
  [
    'two choices',
    [
      {
        ...HEAD,
        choices: [
          { index: 0, delta: { content: 'a' } },
          { index: 1, delta: { content: 'b' } },
        ],
      },
    ],
  ],
  ['parts', [chunk({ content: [{ type: 'text', text: 'a' }] }), chunk({ content: [{ type: 'text', text: 'b' }] })]],
  ['a text beside an end', [chunk({ content: 'a' }), chunk({ content: 'b' }, { finish_reason: 'length' })]],
  ['another head', [chunk({ content: 'a' }), { ...chunk({ content: 'b' }), created: 8 }, chunk({ content: 'c' })]],
  ['a text and a thought in one', [chunk({ content: 'a' }), chunk({ content: 'b', reasoning: 'c' }), chunk({ content: 'd' })]],
  [
    'no delta',
    [
      { ...HEAD, choices: [{ message: { content: 'a' } }] },
      { ...HEAD, choices: 'odd' },
    ],
  ],
  ['half of a character', [chunk({ content: '\ud83d' }), chunk({ content: '\ude00' })]],
])('when chunks hold %s then they are read as they came', (_, chunks) => {
  expect(through(chunks, 1).read).toEqual(chunks);
});
