import { expect, test } from 'vitest';
import { withoutNulls } from './nulls.ts';

test.each([
  [{ stop: null, model: 'm' }, { model: 'm' }],
  [
    { input: { user: null, messages: [{ role: 'assistant', content: null, refusal: null }] } },
    { input: { messages: [{ role: 'assistant' }] } },
  ],
  [{ webhook: { url: 'u', events: null } }, { webhook: { url: 'u' } }],
  [
    [null, { a: null }, [null]],
    [null, {}, [null]],
  ],
  [
    { a: false, b: 0, c: '', d: [] },
    { a: false, b: 0, c: '', d: [] },
  ],
  [null, null],
  ['null', 'null'],
])('when %j is read then fields that are null are not there', (sent, read) => {
  expect(withoutNulls(sent)).toEqual(read);
});

test('when nothing is null then nothing is copied', () => {
  const body = { input: { messages: [{ role: 'user', content: ['x'.repeat(9)] }] } };
  expect(withoutNulls(body)).toBe(body);
});
