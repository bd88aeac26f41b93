import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchItem } from './batch-request.ts';
import { plainChatItem } from './plain-chat.ts';

const PLAIN = {
  custom_id: 'order-17',
  type: 'chat',
  input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] },
  priority: 'normal',
  expires_in_s: 86_400,
};

const oneOf = <const T>(...values: T[]) => fc.constantFrom(...values);
const ODD = [null, undefined, true, -1, 0, 0.5, 1, 1.5, '', 'x', 'a b', [], {}, Number.NaN];
/** What is good, and now and then what nearly is. */
const usually = (good: fc.Arbitrary<unknown>, ...near: unknown[]) =>
  fc.oneof({ weight: 60, arbitrary: good }, { weight: 1, arbitrary: oneOf(...ODD, ...near) });
/** The same fields in any order, now and then without some. */
const objectOf = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(fields).chain((all) => {
    const names = Object.keys(all);
    const ordered = fc.shuffledSubarray(names, { minLength: names.length });
    return fc
      .oneof({ weight: 30, arbitrary: ordered }, { weight: 1, arbitrary: fc.shuffledSubarray(names) })
      .map((some) => Object.fromEntries(some.map((name) => [name, all[name]])));
  });
const withMore = (good: fc.Arbitrary<object>, more: fc.Arbitrary<object>) =>
  fc
    .tuple(good, fc.oneof({ weight: 20, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: more }))
    .map(([a, b]) => ({ ...a, ...b }));

const message = withMore(
  objectOf({
    role: usually(oneOf('system', 'developer', 'user', 'assistant')),
    content: usually(fc.string({ unit: 'binary', maxLength: 20 })),
  }),
  oneOf({ name: 'bo' }, { typo: 1 }),
);
const options = objectOf({
  stream: usually(fc.boolean()),
  temperature: usually(oneOf(0, 2, 1.5), 2.1),
  top_p: usually(oneOf(0, 1), 1.1),
  max_tokens: usually(oneOf(1, 1_000_000), 1_000_001),
});
const input = withMore(
  fc
    .tuple(
      objectOf({
        model: usually(oneOf('gemini-3.1-pro', 'a/b:c@d', 'x'.repeat(128)), 'x'.repeat(129), 'ä'),
        messages: usually(fc.array(message, { minLength: 1, maxLength: 3 })),
      }),
      fc.oneof(fc.constant({}), options),
    )
    .map(([a, b]) => ({ ...b, ...a })),
  oneOf({ seed: 7 }, { n: 1 }),
);
const item = withMore(
  objectOf({
    custom_id: usually(oneOf('a', 'A_-9', 'x'.repeat(64)), 'x'.repeat(65), 'a\n'),
    type: usually(oneOf('chat')),
    input: usually(input),
    priority: usually(oneOf('low', 'normal', 'high'), 'urgent'),
    expires_in_s: usually(oneOf(60, 172_800, 600), 59, 172_801),
  }),
  oneOf({ metadata: {} }, { max_attempts: 2 }, { typo: 1 }, { webhook: { url: 'https://a.example/' } }),
);

test('when a line is read as a plain chat then it is what the schema makes of it, field by field and in its order', () => {
  let plain = 0;
  fc.assert(
    fc.property(item, (sent) => {
      const read = plainChatItem(sent);
      if (read === null) return;
      plain += 1;
      const expected = BatchItem.parse(sent);
      expect(read).toEqual(expected);
      expect(JSON.stringify(read)).toBe(JSON.stringify(expected));
    }),
    { numRuns: 3000 },
  );
  // Else this would say nothing.
  expect(plain).toBeGreaterThan(300);
});

test.each([
  ['a plain chat', PLAIN],
  ['one with options', { ...PLAIN, input: { max_tokens: 9, temperature: 0.5, ...PLAIN.input, stream: false } }],
])('when a line is %s then the schema is not asked', (_what, sent) => {
  expect(plainChatItem(sent)).toEqual(BatchItem.parse(sent));
});

test.each([
  ['is no object', 1],
  ['is an image', { ...PLAIN, type: 'image' }],
  ['has a webhook', { ...PLAIN, webhook: { url: 'https://caller.example/' } }],
  ['has parts', { ...PLAIN, input: { ...PLAIN.input, messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }] } }],
  ['has another option', { ...PLAIN, input: { ...PLAIN.input, seed: 7 } }],
  ['has an unknown field in place of another', { ...PLAIN, priority: undefined, typo: 1 }],
  [
    'has many messages',
    { ...PLAIN, input: { ...PLAIN.input, messages: Array.from({ length: 21 }, () => PLAIN.input.messages[0]) } },
  ],
])('when a line %s then the schema is asked', (_what, sent) => {
  expect(plainChatItem(sent)).toBeNull();
});
