import { expect, test } from 'vitest';
import { extensionOf, textOf } from './results.ts';
import type { JobResult } from './types.ts';

const withContent = (content: unknown) => ({ result: { choices: [{ message: { content } }] } });

test.each<[string, { result: unknown }, string | undefined]>([
  ['a text', withContent('hello'), 'hello'],
  [
    'a list of parts',
    withContent([{ type: 'thinking', thinking: [] }, { type: 'text', text: 'hel' }, null, { text: 'lo' }]),
    'hello',
  ],
  ['a list without texts', withContent([{ type: 'image_url', image_url: {} }]), undefined],
  ['an object', withContent({ answer: 42 }), undefined],
  ['null', withContent(null), undefined],
  ['a message that is null', { result: { choices: [{ message: null }] } }, undefined],
  ['a choice that is null', { result: { choices: [null] } }, undefined],
  ['no choice', { result: { choices: [] } }, undefined],
  ['a link', { result: { url: 'https://files.example/1.json' } }, undefined],
  ['nothing', { result: null }, undefined],
])('when the content of a chat is %s then its text is shown, if it has any', (_what, job, text) => {
  expect(textOf(job as { result: JobResult | null })).toBe(text);
});

test('when an image is of a kind that is known then its extension is the usual one, else bin', () => {
  const kinds = ['image/jpeg', 'image/png', 'image/svg+xml', 'image/x-new'];
  expect(kinds.map((content_type) => extensionOf({ content_type }))).toEqual(['jpg', 'png', 'svg', 'bin']);
});
