import { expect, test } from 'vitest';
import { chatTextOf } from './jobs.ts';

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
  expect(chatTextOf(job)).toBe(text);
});
