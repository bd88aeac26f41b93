import { expect, test } from 'vitest';
import { redact, scrubber } from './redact.ts';

test.each([
  ['a vendor key', 'key sk-0123456789abcdef0123 is bad', 'key sk-*** is bad'],
  ['a key in a query', 'GET /client/common/getCredits?apikey=abc123&x=1', 'GET /client/common/getCredits?apikey=***&x=1'],
  ['a key in a JSON body', '{"apiKey":"whatever it is"}', '{"apiKey":"***"}'],
  ['a bearer header', 'authorization: Bearer abc.def-123', 'authorization: Bearer ***'],
])('%s is blanked', (_, text, clean) => {
  expect(redact(text)).toBe(clean);
});

test('a text without a key stays as it is', () => {
  const text = 'task 6-3d0c9f52-7a41-4e0b-9c55-1b2a60f4d7e1 failed: generate failed';
  expect(redact(text)).toBe(text);
});

test('the scrubber knows its own secret in any shape, also URL-encoded', () => {
  const scrub = scrubber('odd/key+1');
  expect(scrub('a odd/key+1 b odd%2Fkey%2B1 c')).toBe('a *** b *** c');
});
