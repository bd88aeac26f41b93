import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assemble } from './assemble.ts';
import { ChatChunk, ChatCompletion, isEmptyCompletion } from './chat-schema.ts';

/** The sample of the vendor's page: grsai-api §6.1. */
const SAMPLE = {
  id: '1-4e5f6071-8293-4a4b-9c5d-6e7f80910a1b',
  object: '',
  created: 1780004321,
  model: 'gemini-3.1-pro',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: '有三个想法：纸灯塔、雾、晨光。' },
      finish_reason: 'stop',
      content_filter_results: {
        hate: { filtered: false },
        self_harm: { filtered: false },
        sexual: { filtered: false },
        violence: { filtered: false },
        jailbreak: { filtered: false, detected: false },
        profanity: { filtered: false, detected: false },
      },
    },
  ],
  usage: {
    prompt_tokens: 11,
    completion_tokens: 204,
    total_tokens: 215,
    prompt_tokens_details: null,
    completion_tokens_details: null,
  },
  system_fingerprint: '',
};

test('the documented sample is typed and survives a round trip', () => {
  const completion = ChatCompletion.parse(JSON.parse(JSON.stringify(SAMPLE)));
  expect(JSON.parse(JSON.stringify(completion))).toEqual(SAMPLE);
  expect(completion.object).toBe('');
  expect(completion.choices[0]?.message.content).toBe('有三个想法：纸灯塔、雾、晨光。');
  expect(completion.usage?.prompt_tokens_details).toBeNull();
});

test('fields that nobody knows yet survive as well', () => {
  const odd = { ...SAMPLE, vendor: { a: [1] }, choices: [{ ...SAMPLE.choices[0], logprobs: null, extra: 'x' }] };
  expect(ChatCompletion.parse(odd)).toEqual(odd);
});

describe('a completion is empty', () => {
  const saying = (message: object) => isEmptyCompletion(ChatCompletion.parse({ ...SAMPLE, choices: [{ index: 0, message }] }));

  test.each([{}, { content: '' }, { content: null }, { content: '  \n' }, { content: [] }, { content: '', tool_calls: [] }])(
    'with %j',
    (message) => {
      expect(saying({ role: 'assistant', ...message })).toBe(true);
    },
  );

  test.each([{ content: 'x' }, { content: null, tool_calls: [{ id: '1' }] }, { content: [{ type: 'text', text: 'x' }] }])(
    'but not with %j',
    (message) => {
      expect(saying({ role: 'assistant', ...message })).toBe(false);
    },
  );

  test('without a choice', () => {
    expect(isEmptyCompletion({ choices: [] })).toBe(true);
  });
});

describe('the assembler', () => {
  const head = { id: '1-a', object: 'chat.completion.chunk', created: 1, model: 'm' };
  const chunk = (choice: object, more: object = {}) => ChatChunk.parse({ ...head, choices: [choice], ...more });

  test('makes of the documented stream what a plain call would have answered', async () => {
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

  test('keeps choices apart and in order', async () => {
    const chunks = [
      chunk({ index: 1, delta: { content: 'b' } }),
      chunk({ index: 0, delta: { content: 'a' } }),
      chunk({ index: 1, delta: { content: 'B' }, finish_reason: 'length' }),
    ];
    const { choices } = await assemble(chunks);
    expect(choices.map(({ message, finish_reason }) => [message.content, finish_reason])).toEqual([
      ['a', undefined],
      ['bB', 'length'],
    ]);
  });

  test('joins the pieces of a tool call', async () => {
    const call = (fn: object, more: object = {}) => ({ index: 0, delta: { tool_calls: [{ index: 0, ...more, function: fn }] } });
    const { choices } = await assemble([
      chunk(call({ name: 'look', arguments: '{"a"' }, { id: 'c1' })),
      chunk(call({ arguments: ':1}' })),
    ]);
    expect(choices[0]?.message['tool_calls']).toEqual([{ index: 0, id: 'c1', function: { name: 'look', arguments: '{"a":1}' } }]);
  });

  test('gives the same text however it is cut into chunks', () => {
    return fc.assert(
      fc.asyncProperty(fc.array(fc.string(), { minLength: 1 }), async (parts) => {
        const { choices } = await assemble(parts.map((content) => chunk({ index: 0, delta: { content } })));
        expect(choices[0]?.message.content).toBe(parts.join(''));
      }),
    );
  });
});
