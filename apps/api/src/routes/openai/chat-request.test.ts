import { createSliceQueue } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { readChatRequest } from './chat-request.ts';

const asks = { role: 'user', content: 'And now?' };

async function read(answer: object) {
  const body = { model: 'gemini-3.1-pro', messages: [{ role: 'assistant', ...answer }, asks] };
  const { request, ignored } = await readChatRequest(body, [], createSliceQueue().of('acme'));
  return { messages: request.type === 'chat' ? request.input.messages : [], ignored };
}

test.each<[string, object, object, string[]]>([
  [
    'fields of an SDK and of upstream',
    { content: 'x', parsed: { a: 1 }, id: 'msg_1', reasoning: 'r' },
    { content: 'x' },
    ['parsed', 'id', 'reasoning'],
  ],
  [
    'fields that are empty',
    { content: 'x', refusal: null, annotations: [], audio: null, tool_calls: [], function_call: null },
    { content: 'x' },
    [],
  ],
  ['a refusal as a part', { content: [{ type: 'refusal', refusal: 'No.' }] }, { content: [{ type: 'text', text: 'No.' }] }, []],
  ['an empty list of parts', { content: [] }, { content: '' }, []],
  ['no content', {}, { content: '' }, []],
])('when an answer is sent back with %s then it is taken, and what is dropped is named', async (_, answer, said, dropped) => {
  expect(await read(answer)).toEqual({
    messages: [{ role: 'assistant', ...said }, asks],
    ignored: dropped.map((name) => `messages.${name}`),
  });
});

test.each([{ tool_calls: [{ id: 'a' }] }, { function_call: { name: 'f' } }, { content: [{ type: 'image' }] }])(
  'when an answer is sent back with %j, which the upstream has not, then it is refused',
  async (more) => {
    await expect(read({ content: 'x', ...more })).rejects.toMatchObject({ code: 'invalid_request' });
  },
);

test('when a message of a user has a field that nobody knows then it is refused, since it may be a slip', async () => {
  const body = { model: 'gemini-3.1-pro', messages: [{ ...asks, contnet: 'x' }] };
  await expect(readChatRequest(body, [], createSliceQueue().of('acme'))).rejects.toMatchObject({ code: 'invalid_request' });
});
