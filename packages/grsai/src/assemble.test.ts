import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble } from './assemble.ts';
import type { ChatChunk } from './chat-schema.ts';

const head = { id: '1-a', object: 'chat.completion.chunk', created: 1, model: 'm' };
const chunk = (choice: object, more: object = {}): ChatChunk => ({ ...head, choices: [{ ...choice }], ...more });

/** The message that these deltas make. */
const joined = async (...deltas: unknown[]) =>
  (await assemble(deltas.map((delta) => chunk({ index: 0, delta })))).choices[0]?.message;

/** The message of chunks whose choice is as given. */
const said = async (...choices: object[]) => (await assemble(choices.map((choice) => chunk(choice)))).choices[0]?.message;

test('the documented stream makes what a plain call would have answered', async () => {
  const chunks = [
    chunk({ index: 0, delta: { role: 'assistant', content: 'Three ' }, finish_reason: null }),
    chunk({ index: 0, delta: { content: 'ideas.' }, finish_reason: 'stop' }, { usage: { total_tokens: 13 } }),
  ];
  expect(await assemble(chunks)).toEqual({
    ...head,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Three ideas.' }, finish_reason: 'stop' }],
    usage: { total_tokens: 13 },
  });
});

test('choices are kept apart and in order, by their index or their place', async () => {
  const chunks = [
    chunk({ index: 1, delta: { content: 'b' } }),
    chunk({ index: '0', delta: { content: 'a' } }),
    chunk({ index: 1, delta: { content: 'B' }, finish_reason: 'length' }),
    { choices: [{ delta: { content: 'A' } }, { index: null, delta: { content: '!' } }] },
  ];
  const { choices } = await assemble(chunks as ChatChunk[]);
  expect(choices.map(({ message, finish_reason }) => [message.content, finish_reason])).toEqual([
    ['aA', undefined],
    ['bB!', 'length'],
  ]);
});

const text = (words: string) => ({ type: 'text', text: words });
const thought = (words: string) => ({ type: 'thinking', thinking: [text(words)] });
const picture = { type: 'image_url', image_url: { url: 'https://files.example/1.png' } };

test.each<[string, unknown[], unknown]>([
  ['a list, then text', [[thought('hmm')], 'the answer', ' is 42'], [thought('hmm'), text('the answer is 42')]],
  ['text, then a list', ['The ', 'answer', [text(' is'), picture], ' 42'], [text('The answer is'), picture, text(' 42')]],
  ['lists of text pieces', [[text('He')], [text('llo')], [picture], [text('!')]], [text('Hello'), picture, text('!')]],
  ['lists of bare texts', [['He'], ['llo']], [text('Hello')]],
  ['thoughts in pieces', [[thought('I ')], [thought('think')]], [thought('I think')]],
  ['an object, then text', [text('He'), 'llo'], [text('Hello')]],
  ['pictures one by one', [[picture], [picture]], [picture, picture]],
  ['numbers', ['The answer is ', 4, 2], 'The answer is 42'],
  ['numbers alone', [4, 2], '42'],
  ['one object alone', [{ answer: 42 }], { answer: 42 }],
  ['null, nothing and empty lists between', ['He', null, '', [], {}, 'llo'], 'Hello'],
  ['the same words twice', ['ha', 'ha', '!'], 'haha!'],
])('content that comes as %s is kept whole', async (_, pieces, content) => {
  expect((await joined(...pieces.map((piece) => ({ content: piece }))))?.content).toEqual(content);
});

test.each<[string, unknown[], object]>([
  ['a text', ['Hel', 'lo'], { content: 'Hello' }],
  ['a list', [[text('Hel')], { content: 'lo' }], { content: [text('Hello')] }],
  ['null between others', [{ content: 'Hel' }, null, { content: 'lo' }], { content: 'Hello' }],
  [
    'an odd role',
    [
      { role: { name: 'x' }, content: 'Hel' },
      { role: 7, content: 'lo' },
    ],
    { content: 'Hello' },
  ],
])('a delta that is %s is kept whole', async (_, deltas, message) => {
  expect(await joined(...deltas)).toMatchObject(message);
});

test('fragments of one index are one, whose texts are joined and whose names are not doubled', async () => {
  const detail = (summary: string, more: object = {}) => ({
    reasoning_details: [{ type: 'reasoning.summary', summary, index: 0, format: 'x', id: 'r1', ...more }],
  });
  const message = await joined(detail('I '), detail('think '), detail('so', { index: '0' }), {
    reasoning_details: [{ type: 'reasoning.encrypted', data: 'AAAA', index: 0 }],
  });
  expect(message?.['reasoning_details']).toEqual([
    { type: 'reasoning.summary', summary: 'I think so', index: '0', format: 'x', id: 'r1' },
    { type: 'reasoning.encrypted', data: 'AAAA', index: 0 },
  ]);
});

describe('the pieces of tool calls are joined', () => {
  const call = (fn: object, more: object = {}) => ({ tool_calls: [{ ...more, function: fn }] });
  const whole = { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"a":1}' } };

  test.each<[string, object[], object[]]>([
    [
      'by their index',
      [
        call({ name: 'look', arguments: '{"a"' }, { index: 0, id: 'c1', type: 'function' }),
        call({ arguments: ':1}' }, { index: 0, type: 'function' }),
      ],
      [{ index: 0, ...whole }],
    ],
    [
      'without an index',
      [
        call({ name: 'look', arguments: '{"a"' }, { id: 'c1', type: 'function' }),
        call({ name: '', arguments: ':1}' }, { id: '' }),
      ],
      [whole],
    ],
    [
      'when two of them share an index',
      [
        call({ name: 'a', arguments: '{}' }, { index: 0, id: 'c1' }),
        call({ name: 'b', arguments: '{}' }, { index: 0, id: 'c2' }),
      ],
      [
        { index: 0, id: 'c1', function: { name: 'a', arguments: '{}' } },
        { index: 0, id: 'c2', function: { name: 'b', arguments: '{}' } },
      ],
    ],
    [
      'as an object that is no list',
      [
        { tool_calls: { index: 0, id: 'c1', function: { name: 'look', arguments: '{"a"' } } },
        { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
      ],
      [{ index: 0, id: 'c1', function: { name: 'look', arguments: '{"a":1}' } }],
    ],
  ])('%s', async (_, deltas, calls) => {
    expect((await joined(...deltas))?.['tool_calls']).toEqual(calls);
  });
});

test('fields of any name that come in pieces are joined', async () => {
  expect(
    await joined({ thought: 'a', audio: { id: 'x', data: 'AA' } }, { thought: 'b', audio: { id: 'x', data: 'BB' } }),
  ).toEqual({
    role: 'assistant',
    content: '',
    thought: 'ab',
    audio: { id: 'x', data: 'AABB' },
  });
});

test('a field named __proto__ passes like any other', async () => {
  const [a, b] = ['{"content":"x","__proto__":"a"}', '{"__proto__":"b"}'].map((json) => JSON.parse(json) as object);
  expect(JSON.stringify(await joined(a, b))).toBe('{"role":"assistant","content":"x","__proto__":"ab"}');
});

test.each<[string, object[], unknown]>([
  ['usage without choices', [{ choices: [] }, { usage: { total_tokens: 3 } }], { total_tokens: 3 }],
  ['usage that grows', [{ usage: { total_tokens: 3 } }, { usage: { total_tokens: 7 } }, { usage: null }], { total_tokens: 7 }],
  ['usage that is a text', [{ usage: 'none' }], 'none'],
  ['usage that becomes a text', [{ usage: { total_tokens: 3 } }, { usage: 'none' }], { total_tokens: 3 }],
])('of the head %s is kept', async (_, heads, usage) => {
  const { usage: kept } = await assemble([chunk({ index: 0, delta: { content: 'a' } }), ...(heads as ChatChunk[])]);
  expect(kept).toEqual(usage);
});

test('a list that each chunk repeats is there once', async () => {
  const cited = (...citations: string[]) => chunk({ index: 0, delta: {} }, { citations });
  expect((await assemble([cited('a'), cited('a'), cited('a', 'b')]))['citations']).toEqual(['a', 'b']);
});

const LONG = 'The answer to the question is 42';

test.each<[string, object[], string]>([
  ['a piece under another name', [{ message: { content: 'He' } }, { message: { content: 'llo' } }], 'Hello'],
  ['a piece that repeats the one before', [{ message: { content: 'ha' } }, { message: { content: 'ha' } }], 'haha'],
  ['pieces, some of which begin alike', ['1', '10', '0'].map((content) => ({ message: { content } })), '1100'],
  [
    'all that was said up to now',
    ['The', 'The answer', 'The answer is'].map((content) => ({ message: { content } })),
    'The answer is',
  ],
  [
    'all that was said up to now, beside what is new',
    ['The', ' answer'].map((content, at) => ({ delta: { content }, message: { content: 'The answer'.slice(0, 3 + 7 * at) } })),
    'The answer',
  ],
  ['all once more at the end', [{ delta: { content: 'a' } }, { delta: { content: 'b' } }, { message: { content: 'ab' } }], 'ab'],
  ['all once more, twice', [{ message: { content: LONG } }, { message: { content: LONG } }], LONG],
  ['a piece among deltas', [{ delta: { content: 'a' } }, { message: { content: 'b' } }, { delta: { content: 'c' } }], 'abc'],
  ['empty at the end', [{ delta: { content: 'ab' } }, { message: { role: 'assistant', content: '' } }], 'ab'],
  ['a bare text', [{ delta: { content: 'a' } }, { message: 'b' }], 'ab'],
])('a message in a stream that is %s counts as such', async (_, choices, content) => {
  expect((await said(...choices))?.content).toBe(content);
});

test('a message at the end brings what it alone has and keeps what it leaves out', async () => {
  const message = await said(
    { delta: { reasoning_content: 'hmm' } },
    { delta: { content: 'The answer' } },
    { message: { role: 'assistant', content: 'The answer', annotations: ['a'] } },
  );
  expect(message).toEqual({ role: 'assistant', content: 'The answer', reasoning_content: 'hmm', annotations: ['a'] });
});

test('the text of the old completions is joined', async () => {
  const { choices } = await assemble([chunk({ text: 'He' }), chunk({ text: 'llo', finish_reason: 'stop' })]);
  expect(choices[0]).toMatchObject({ text: 'Hello', finish_reason: 'stop' });
});

test('however a text is cut into chunks, it is the same', () => {
  return fc.assert(
    fc.asyncProperty(fc.array(fc.string(), { minLength: 1 }), async (parts) => {
      expect((await joined(...parts.map((content) => ({ content }))))?.content).toBe(parts.join(''));
    }),
  );
});

test('whatever JSON stands in a choice, the chunks can be put together', () => {
  const choice = fc.dictionary(
    fc.constantFrom('index', 'delta', 'message', 'text', 'finish_reason', 'logprobs', 'x'),
    fc.jsonValue(),
  );
  return fc.assert(
    fc.asyncProperty(fc.array(fc.array(choice), { maxLength: 6 }), async (lists) => {
      const completion = await assemble(lists.map((choices) => ({ choices })) as ChatChunk[]);
      expect(Array.isArray(JSON.parse(JSON.stringify(completion)).choices)).toBe(true);
    }),
  );
});
