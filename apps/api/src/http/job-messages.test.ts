import { BatchRequest, JobRequest } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { Problem } from './problem.ts';
import { validateBody } from './validate.ts';

/** What callers of OpenAI write, and what they are told where it is not taken. */

const chat = (input: object, more: object = {}) => ({
  type: 'chat',
  input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }], ...input },
  ...more,
});
const says = (message: object) => chat({ messages: [{ role: 'user', content: 'hi', ...message }] });
const image = (input: object, more: object = {}) => ({ type: 'image', input: { model: 'm', prompt: 'p', ...input }, ...more });

const UNSET = ['stop', 'temperature', 'top_p', 'max_tokens', 'max_completion_tokens', 'presence_penalty', 'frequency_penalty'];
const UNSET_TOO = ['seed', 'response_format', 'reasoning_effort', 'user', 'stream', 'tools', 'n', 'logit_bias'];
const OF_JOBS = ['webhook', 'metadata', 'priority', 'expires_in_s', 'max_attempts', 'on_unknown_submit', 'output'];
const nulls = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, null]));

test.each([
  ['chat input', chat(nulls([...UNSET, ...UNSET_TOO])), chat({})],
  ['image input', image(nulls(['images', 'mask', 'aspect_ratio', 'image_size', 'quality', 'background'])), image({})],
  ['the job', chat({}, nulls(OF_JOBS)), chat({})],
  ['via of an image', image({}, { via: null }), image({})],
  [
    'what stands deeper',
    chat({}, { output: { url_ttl_s: null }, metadata: { a: null, b: 'x' } }),
    chat({}, { metadata: { b: 'x' } }),
  ],
  [
    'a part',
    says({ content: [{ type: 'image_url', image_url: { url: 'https://a.example/', detail: null } }] }),
    says({ content: [{ type: 'image_url', image_url: { url: 'https://a.example/' } }] }),
  ],
  [
    'an answer of OpenAI that is sent back',
    says({ role: 'assistant', content: null, name: null, refusal: null, tool_calls: null }),
    says({ role: 'assistant', content: '' }),
  ],
])('when null stands in %s then it is as if nothing stood there', (_where, sent, meant) => {
  expect(validateBody(JobRequest, sent)).toEqual(validateBody(JobRequest, meant));
});

const TEXT_OR_PARTS = /^(is required and )?must be a text or a list of parts such as \{"type": "text"/;

test.each<[string, object | null, string, RegExp]>([
  ['null for the body', null, '', /^must be an object$/],
  ['null for the input', chat({}, { input: null }), '/input', /^is required$/],
  ['null for the model', chat({ model: null }), '/input/model', /^is required$/],
  ['null for the prompt', image({ prompt: null }), '/input/prompt', /^is required$/],
  ['null among the images', image({ images: [null] }), '/input/images/0', /^must be a string$/],
  ['null for the content of a user', says({ content: null }), '/input/messages/0/content', TEXT_OR_PARTS],
  ['a number as content', says({ content: 5 }), '/input/messages/0/content', TEXT_OR_PARTS],
  ['a part that stands in no list', says({ content: { type: 'text', text: 'a' } }), '/input/messages/0/content', TEXT_OR_PARTS],
  ['a number as content of an assistant', says({ role: 'assistant', content: 1 }), '/input/messages/0/content', TEXT_OR_PARTS],
  ['no parts', says({ content: [] }), '/input/messages/0/content', /^must not be empty$/],
  [
    'an unknown part',
    says({ content: [{ type: 'input_audio' }] }),
    '/input/messages/0/content/0/type',
    /^must be one of text, image_url$/,
  ],
  [
    'a part without a type',
    says({ content: [{ text: 'a' }] }),
    '/input/messages/0/content/0/type',
    /^must be one of text, image_url$/,
  ],
  ['a part that is a text', says({ content: ['a'] }), '/input/messages/0/content/0', /^must be an object$/],
  [
    'an image part by its address alone',
    says({ content: [{ type: 'image_url', image_url: 'https://a.example' }] }),
    '/input/messages/0/content/0/image_url',
    /^must be an object such as \{"url": "https:/,
  ],
  [
    'a misspelled field of an image part',
    says({ content: [{ type: 'image_url', image_url: { url: 'https://a.example', details: 'low' } }] }),
    '/input/messages/0/content/0/image_url/details',
    /^unknown field$/,
  ],
  ['an unknown role', says({ role: 'tool' }), '/input/messages/0/role', /^must be one of system, developer, user, assistant$/],
  ['a number as stop', chat({ stop: 5 }), '/input/stop', /^must be a text or a list of at most 4 texts$/],
  ['an object as stop', chat({ stop: { a: 1 } }), '/input/stop', /^must be a text or a list of at most 4 texts$/],
  ['a number among the stops', chat({ stop: ['a', 5] }), '/input/stop/1', /^must be a string$/],
  ['five stops', chat({ stop: [...'abcde'] }), '/input/stop', /^must have at most 4 items$/],
  ['a text as response_format', chat({ response_format: 'json' }), '/input/response_format', /^must be an object$/],
  [
    'a long metadata key',
    chat({}, { metadata: { ['k'.repeat(65)]: 'v' } }),
    `/metadata/${'k'.repeat(65)}`,
    /limited to 64 characters$/,
  ],
  ['an empty metadata key', chat({}, { metadata: { '': 'v' } }), '/metadata/', /^must not be empty$/],
  [
    'a text that is no picture',
    image({ images: ['cat.png'] }),
    '/input/images/0',
    /http\(s\) URL, a data URL of an image, or bare base64/,
  ],
  ['a mask that is text', image({ mask: 'data:text/plain;base64,AAAA' }), '/input/mask', /^data:text\/plain is not an image/],
])('when a job has %s then the field is named, and what it may be', (_what, body, pointer, message) => {
  let told: unknown;
  try {
    validateBody(JobRequest, body);
  } catch (error) {
    told = error instanceof Problem ? error.errors : error;
  }
  expect(told).toEqual([{ pointer, message: expect.stringMatching(message) }]);
});

test('when null stands in the form of a batch or its defaults then it is as if nothing stood there, but not in the list of items', () => {
  const form = { defaults: { webhook: null, priority: null }, webhook: null, metadata: null, items: [{ priority: null }, null] };
  expect(validateBody(BatchRequest, form)).toEqual({ defaults: {}, metadata: {}, items: [{}, null] });
});
