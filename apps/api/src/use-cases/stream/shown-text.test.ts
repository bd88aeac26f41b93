import { expect, test } from 'vitest';
import { asOnePiece, ShownText } from './shown-text.ts';

const piece = (delta: object, finish_reason: string | null = null) => ({ choices: [{ index: 0, delta, finish_reason }] });
const completion = (message: object) => ({
  id: 'c',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
  usage: { total_tokens: 3 },
});
const shown = (...pieces: object[]) => {
  const text = new ShownText();
  for (const each of pieces) text.add(each as Record<string, unknown>);
  return text;
};

test('when the beginning of an answer was shown then the rest of it is known, with its end', () => {
  const text = shown(piece({ role: 'assistant', content: '' }), piece({ content: 'one ' }), piece({ content: 't' }));
  expect(text.restOf(completion({ content: 'one two' }))).toEqual({
    kind: 'rest',
    chunk: {
      ...{ id: 'c', object: 'chat.completion.chunk', usage: { total_tokens: 3 } },
      choices: [{ index: 0, delta: { content: 'wo' }, finish_reason: 'stop' }],
    },
  });
});

test('when a piece ended in half a character then the rest begins with the other half', () => {
  const rest = shown(piece({ content: 'a\ud83d' })).restOf(completion({ content: 'a\ud83d\ude00b' }));
  expect(rest).toMatchObject({ chunk: { choices: [{ delta: { content: '\ude00b' } }] } });
});

test('when all was shown then nothing is left, and what lacks its end is given that', () => {
  expect(shown(piece({ content: 'all' }), piece({}, 'stop')).restOf(completion({ content: 'all' }))).toEqual({ kind: 'none' });
  expect(shown(piece({ content: 'all' })).restOf(completion({ content: 'all' }))).toMatchObject({
    chunk: { choices: [{ delta: {}, finish_reason: 'stop' }] },
  });
});

test('when thoughts were shown then they are no part of the text', () => {
  const text = shown(piece({ reasoning_content: 'hm' }));
  expect(text.restOf(completion({ reasoning_content: 'hm, so', content: 'yes' }))).toMatchObject({
    chunk: { choices: [{ delta: { reasoning_content: ', so', content: 'yes' } }] },
  });
});

test.each<[string, object[], unknown]>([
  ['is another text', [piece({ content: 'one' })], completion({ content: 'two' })],
  ['is longer than the answer', [piece({ content: 'one two' })], completion({ content: 'one' })],
  ['is not in the answer', [piece({ reasoning: 'hm' })], completion({ content: 'yes' })],
  ['has parts', [piece({ content: [{ type: 'text', text: 'a' }] })], completion({ content: 'ab' })],
  ['has calls of tools', [piece({ tool_calls: [{ index: 0 }] })], completion({ content: '' })],
  ['is a second choice', [{ choices: [{ index: 1, delta: { content: 'a' } }] }], completion({ content: 'ab' })],
  ['is a message', [{ choices: [{ index: 0, message: { content: 'a' } }] }], completion({ content: 'ab' })],
  ['belongs to an answer of parts', [piece({ content: 'a' })], completion({ content: [{ type: 'text', text: 'ab' }] })],
  ['belongs to an answer of two choices', [piece({ content: 'a' })], { choices: [...completion({ content: 'ab' }).choices, {}] }],
])('when what was shown %s then nobody can tell what is left', (_, pieces, whole) => {
  expect(shown(...pieces).restOf(whole)).toEqual({ kind: 'unclear' });
});

test('when an answer comes as one piece then all of it is in there', () => {
  expect(asOnePiece(completion({ content: 'all' }))).toEqual({
    ...{ id: 'c', object: 'chat.completion.chunk', usage: { total_tokens: 3 } },
    choices: [{ index: 0, delta: { role: 'assistant', content: 'all' }, finish_reason: 'stop' }],
  });
});
