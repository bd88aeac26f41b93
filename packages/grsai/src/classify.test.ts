import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Category, classify } from './classify.ts';
import { TEXT_ROWS } from './text-rows.ts';

const CATEGORIES: readonly Category[] = [
  'auth',
  'balance',
  'moderation',
  'input',
  'model',
  'transient',
  'rate_limited',
  'failed',
  'unknown',
];

test.each<[string, Category]>([
  ['apikey error', 'auth'],
  ['apikey credits not enough', 'balance'],
  ['insufficient credits', 'balance'],
  ['model not found', 'model'],
  ['Model not support', 'model'],
  ['model maintenance', 'model'],
  ['generate failed', 'failed'],
  ['generate image failed', 'failed'],
  ['generation failed', 'failed'],
  ['API error response', 'failed'],
  ['google gemini timeout, please try again later', 'transient'],
  ['Upstream rate limit exceeded. Please retry later.', 'transient'],
  ['Upstream service is temporarily unavailable. Please retry later.', 'transient'],
  ['Invalid input parameters', 'input'],
  ['The image format is incorrect, please check', 'input'],
  ['aspectRatio must be portrait, landscape or square', 'input'],
  ['unexpected end of JSON input', 'input'],
  ['input_moderation', 'moderation'],
  ['output_moderation', 'moderation'],
  ['the prompt violates our rules', 'moderation'],
  ['blocked: content_policy', 'moderation'],
  ['Prompt rejected', 'moderation'],
  ['generate failed: content policy violation', 'moderation'],
  ['something nobody has seen', 'unknown'],
  ['', 'unknown'],
])('the text %j is of class %s', (text, category) => {
  expect(classify({ text }).category).toBe(category);
});

test.each<[number, Category]>([
  [401, 'auth'],
  [402, 'balance'],
  [413, 'input'],
  [425, 'transient'],
  [429, 'rate_limited'],
  [400, 'unknown'],
])('HTTP %i without a text is of class %s', (status, category) => {
  expect(classify({ status }).category).toBe(category);
});

test('the status stands before the text', () => {
  expect(classify({ status: 413, text: 'please try again later' }).category).toBe('input');
});

test.each<[string, Category]>([
  ['too many requests', 'rate_limited'],
  ['Upstream rate limit exceeded', 'rate_limited'],
  ['apikey credits not enough', 'balance'],
  ['apikey error', 'auth'],
])('a 429 that says %j is of class %s', (text, category) => {
  expect(classify({ status: 429, text }).category).toBe(category);
});

test('a 403 speaks of the key when it can be read, a page with 403 of nothing', () => {
  expect(classify({ status: 403, text: '' }).category).toBe('auth');
  expect(classify({ status: 403 }).category).toBe('unknown');
});

test('a violation is policy whatever its text says', () => {
  expect(classify({ taskStatus: 'violation', text: 'generate failed' }).category).toBe('moderation');
});

test('a failed task without a text is a plain failure', () => {
  expect(classify({ taskStatus: 'failed', text: '' }).category).toBe('failed');
});

test('a malformed body, legacy code -4, is bad input', () => {
  expect(classify({ code: -4, text: 'weird' }).category).toBe('input');
});

test('a rate limit behind upstream comes with a wait', () => {
  expect(classify({ text: 'Upstream rate limit exceeded. Please retry later.' }).waitMs).toBe(30_000);
});

test('every input has a class', () => {
  const evidence = fc.record(
    { status: fc.integer(), code: fc.integer(), taskStatus: fc.string(), reason: fc.string(), text: fc.string() },
    { requiredKeys: [] },
  );
  fc.assert(fc.property(evidence, (seen) => CATEGORIES.includes(classify(seen).category)));
});

test('a text keeps its class in any sentence around it that has no words of the table', () => {
  const around = fc.stringMatching(/^[0-9 .:#-]{0,20}$/);
  const samples = ['apikey error', 'insufficient credits', 'model not found', 'generate failed', 'Prompt rejected'];
  fc.assert(
    fc.property(fc.constantFrom(...samples), around, around, (text, before, after) => {
      expect(classify({ text: before + text.toUpperCase() + after }).category).toBe(classify({ text }).category);
    }),
  );
});

test('what must never be repeated stands above what may be', () => {
  const order = TEXT_ROWS.map(({ category }) => category);
  const firstRepeatable = Math.min(order.indexOf('transient'), order.indexOf('failed'));
  expect(order.slice(firstRepeatable).every((category) => category === 'transient' || category === 'failed')).toBe(true);
});
