import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isEmptyCompletion, meaningOf } from './chat-meaning.ts';
import type { ChatCompletion } from './chat-schema.ts';

/** A completion whose choices are as given, of any type. */
const of = (...choices: unknown[]) => ({ id: '1-a', choices }) as ChatCompletion;

describe('a completion is empty', () => {
  const saying = (message: unknown) => isEmptyCompletion(of({ index: 0, message }));

  test.each([
    {},
    { content: '' },
    { content: null },
    { content: '  \n' },
    { content: [] },
    { content: {} },
    { content: [{ type: 'text', text: '' }] },
    { content: false },
    { content: '', tool_calls: [] },
    { content: '', tool_calls: [{ index: 0, type: 'function', function: { name: '', arguments: '' } }] },
    { content: '', provider_specific_fields: { refusal: null } },
    { content: null, id: 'msg_1', type: 'message', status: 'completed', annotations: [], index: 0 },
  ])('with %j', (message) => {
    expect(saying({ role: 'assistant', ...message })).toBe(true);
  });

  test.each<unknown>([
    { content: 'x' },
    { content: 0 },
    { content: true },
    { content: { answer: false } },
    { content: ['x'] },
    { content: null, tool_calls: [{ id: '1' }] },
    { content: null, tool_calls: { function: { name: 'look' } } },
    { content: null, function_call: { name: 'look', arguments: '' } },
    { content: [{ type: 'text', text: 'x' }] },
    { content: [{ type: 'image_url', image_url: { url: 'https://files.example/1.png' } }] },
    { content: '', reasoning_content: 'hmm' },
    { content: '', refusal: 'no' },
    { content: '', audio: { id: 'a', data: 'AAAA' } },
    'x',
    ['x'],
  ])('but not with %j', (message) => {
    expect(saying(message)).toBe(false);
  });

  test.each([[[]], [[null]], [['x']], [null], ['x'], [{}]])('with the choices %j', (choices) => {
    expect(isEmptyCompletion({ choices } as unknown as ChatCompletion)).toBe(true);
  });

  test('but not with the text of the old completions, or a delta', () => {
    expect(isEmptyCompletion(of({ text: 'x' }))).toBe(false);
    expect(isEmptyCompletion(of({ delta: { content: 'x' } }))).toBe(false);
  });
});

const empty = (finish_reason: unknown, more: object = {}) => of({ index: 0, message: { content: '' }, finish_reason, ...more });

test.each([
  'length',
  'max_tokens',
  'MAX_TOKENS',
  'FinishReason.MAX_TOKENS',
  'max_output_tokens',
  'model_length',
  'max_length',
  'context_length_exceeded',
])('an empty answer with the finish_reason %s is an answer as it is', (reason) => {
  expect(meaningOf(empty(reason))).toEqual({ kind: 'answer' });
});

test.each([
  'content_filter',
  'SAFETY',
  'PROHIBITED_CONTENT',
  'RECITATION',
  'BLOCKLIST',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'FinishReason.SAFETY',
  'FINISH_REASON_SAFETY',
  'content-filter',
  'Prohibited Content',
  'refusal',
  'sensitive',
  'content_violation',
  'moderated',
  'NSFW',
  '敏感',
  '内容违规',
  'guardrail_intervened',
  'output_moderation',
  'flagged',
  'censored',
  'blocked_by_safety',
  'data_inspection_failed',
  'MODEL_ARMOR',
])('an empty answer with the finish_reason %s was filtered', (reason) => {
  expect(meaningOf(empty(reason)).kind).toBe('filtered');
  expect(meaningOf(of({ message: { content: 'x' }, finish_reason: reason }))).toEqual({ kind: 'answer' });
});

test.each([
  'stop',
  'STOP',
  'end_turn',
  'other',
  'LANGUAGE',
  'error',
  'tool_calls',
  'NO_IMAGE',
  '',
  null,
  undefined,
  'null',
  0,
  7,
  true,
  {},
  ['length'],
])('an empty answer with the finish_reason %j is a failure', (reason) => {
  expect(meaningOf(empty(reason))).toEqual({ kind: 'empty' });
});

test('the reason in its own words counts where the common one says less', () => {
  expect(meaningOf(empty('stop', { native_finish_reason: 'SAFETY' }))).toEqual({ kind: 'filtered', reason: 'safety' });
});

test.each([
  ['finishReason', { finishReason: 'MAX_TOKENS' }],
  ['stop_reason', { stop_reason: 'max_tokens' }],
  ['the message', { message: { content: '', finish_reason: 'length' } }],
  ['an object', { finish_reason: { type: 'length' } }],
])('the reason counts in %s too', (_, choice) => {
  expect(meaningOf(of(choice))).toEqual({ kind: 'answer' });
});

test('a refusal behind a plain stop is one', () => {
  expect(meaningOf(empty('stop', { stop_reason: 'refusal' }))).toEqual({ kind: 'filtered', reason: 'refusal' });
});

test('of several empty choices the one whose room was used up decides', () => {
  expect(meaningOf(of({ finish_reason: 'content_filter' }, { finish_reason: 'length' }))).toEqual({ kind: 'answer' });
});

test('whatever JSON an answer is made of, it has a meaning', () => {
  const choice = fc.oneof(fc.jsonValue(), fc.dictionary(fc.constantFrom('message', 'delta', 'finish_reason'), fc.jsonValue()));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.array(choice)), (choices) => {
      expect(['answer', 'filtered', 'empty']).toContain(meaningOf({ choices } as unknown as ChatCompletion).kind);
    }),
  );
});

test.each([
  [{ prompt_feedback: { block_reason: 'SAFETY' } }, 'safety'],
  [{ promptFeedback: { blockReason: 'BLOCK_REASON_OTHER' } }, 'other'],
])('an answer without choices that says %j is filtered', (beside, reason) => {
  expect(meaningOf({ ...of(), ...beside })).toEqual({ kind: 'filtered', reason });
});

test.each([
  { prompt_feedback: { block_reason: null, safety_ratings: [] } },
  { promptFeedback: { blockReason: 'BLOCK_REASON_UNSPECIFIED' } },
  { prompt_feedback: 'SAFETY' },
])('an answer without choices that says %j is empty', (beside) => {
  expect(meaningOf({ ...of(), ...beside })).toEqual({ kind: 'empty' });
});
