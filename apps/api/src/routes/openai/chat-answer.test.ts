import { describe, expect, test } from 'vitest';
import { openAiChunk, openAiCompletion, Said } from './chat-answer.ts';

const FALLBACKS = { id: 'job_1', model: 'm', created: 1 };
const LONG = 'a lighthouse of paper on a desk';

/** The text that a reader joins of the pieces. */
function joined(choices: readonly object[]): string {
  const said = new Said();
  const chunks = choices.map((choice, at) => openAiChunk({ choices: [choice] }, FALLBACKS, at === 0, said));
  const deltas = chunks.flatMap((chunk) => chunk?.choices ?? []).map(({ delta }) => delta as { content?: string });
  return deltas.map(({ content = '' }) => content).join('');
}

describe('when pieces of a stream come in odd forms then whoever joins them has the answer', () => {
  test.each<[string, object[], string]>([
    ['deltas', [{ delta: { content: 'he' } }, { delta: { content: 'llo' } }], 'hello'],
    ['deltas that are the same', [{ delta: { content: 'ha' } }, { delta: { content: 'ha' } }], 'haha'],
    ['messages as pieces', [{ message: { content: 'he' } }, { message: { content: 'llo' } }], 'hello'],
    [
      'messages that grow',
      [{ message: { content: 'he' } }, { message: { content: 'hel' } }, { message: { content: 'hello' } }],
      'hello',
    ],
    [
      'all once more at the end',
      [{ delta: { content: 'he' } }, { delta: { content: 'llo' } }, { message: { content: 'hello' } }],
      'hello',
    ],
    ['a message, and all of it once more', [{ message: { content: LONG } }, { message: { content: LONG } }], LONG],
    [
      'both in each',
      [
        { delta: { content: 'he' }, message: { content: 'he' } },
        { delta: { content: 'llo' }, message: { content: 'hello' } },
      ],
      'hello',
    ],
    ['a message beside an empty piece', [{ delta: { content: 'hello' } }, { delta: {}, message: { content: 'hello' } }], 'hello'],
    ['bare texts', [{ delta: 'he' }, { message: 'hello' }], 'hello'],
    ['texts of the old completions', [{ text: 'he' }, { text: 'llo' }], 'hello'],
    [
      'parts',
      [{ message: { content: [{ type: 'text', text: 'he' }] } }, { message: { content: [{ type: 'text', text: 'hello' }] } }],
      'hello',
    ],
  ])('%s', (_, choices, text) => expect(joined(choices)).toBe(text));

  test('by choices', () => {
    const said = new Said();
    const chunk = (...texts: string[]) => ({ choices: texts.map((content, index) => ({ index, message: { content } })) });
    openAiChunk(chunk('a', 'b'), FALLBACKS, true, said);
    expect(openAiChunk(chunk('aA', 'bB'), FALLBACKS, false, said)?.choices).toMatchObject([
      { index: 0, delta: { content: 'A' } },
      { index: 1, delta: { content: 'B' } },
    ]);
  });
});

test('when an answer has a text in the place of a message then it is the content', () => {
  for (const choice of [{ text: 'hello' }, { text: 'hello', message: { role: 'assistant', content: '' } }])
    expect(openAiCompletion({ choices: [choice] }, FALLBACKS)).toMatchObject({ choices: [{ message: { content: 'hello' } }] });
});
