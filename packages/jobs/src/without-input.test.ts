import { expect, test } from 'vitest';
import { withoutInput } from './without-input.ts';

const chat = (...texts: string[]) => ({ model: 'gemini-3.1-pro', messages: texts.map((content) => ({ role: 'user', content })) });
const image = (prompt: string, more: object = {}) => ({ model: 'nano-banana-2', prompt, ...more });

test.each([
  ['the whole prompt', 'no: a red fox in the snow', image('A red fox in the snow'), 'no: [redacted]'],
  ['a part from its middle', 'no "red fox in the snow"!', image('a red fox in the snow, at night'), 'no "[redacted]"!'],
  ['two of its parts', 'a red fox jumps; over the fence', image('a red fox jumps, over the fence'), '[redacted];[redacted]'],
  ['a short text as a whole', 'no: fox!', image('fox!'), 'no: [redacted]'],
  ['one of many messages', 'said: my name is Ada Lovelace.', chat('hello', 'my name is Ada Lovelace'), 'said: [redacted].'],
  [
    'a link',
    'cannot load https://a.example/x?sig=1234',
    image('x '.repeat(9), { images: ['https://a.example/x?sig=1234'] }),
    'cannot load [redacted]',
  ],
  ['none of it', 'gemini-3.1-pro: the flux is unwell', chat('a question'), 'gemini-3.1-pro: the flux is unwell'],
  ['a prompt too short to prove anything', '此路不通: no cat', image('cat'), '此路不通: no cat'],
  ['a prompt of one character', 'HTTP 400: 0 left', image('0'), 'HTTP 400: 0 left'],
  ['a question of two characters', 'no, 你好', chat('你好'), 'no, 你好'],
  ['what is kept elsewhere', 'a red fox', { model: 'nano-banana-2', aspect_ratio: '4:3' }, '[redacted]'],
  ['nothing that could be looked for', 'a red fox', { model: 'nano-banana-2', prompt: '' }, '[redacted]'],
  ['letters that grow when they are small', 'İ no', image('a prompt'), '[redacted]'],
])('when upstream repeats %s then that is left out', (_what, said, input, kept) => {
  expect(withoutInput(said, input)).toBe(kept);
});

test('when the texts are too many to be looked for then nothing is left, and megabytes of pictures are no texts', () => {
  expect(withoutInput('said', chat(...Array.from({ length: 40 }, () => 'x'.repeat(30_000))))).toBe('[redacted]');
  expect(
    withoutInput(
      'said',
      image('a prompt', { images: [`data:image/png;base64,${'A'.repeat(2_000_000)}`, 'A'.repeat(2_000_000)] }),
    ),
  ).toBe('said');
});
