import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { callerWords } from './caller-words.ts';
import { classifyText, type Verdict } from './classify.ts';

const KEY = 'apikey error';
const MONEY = 'insufficient credits';
const chat = (content: unknown, more: object = {}) => ({
  model: 'gemini-3.1-pro',
  messages: [{ role: 'user', content }],
  ...more,
});
const judged = (text: string, supplied: unknown): Verdict => classifyText(text, callerWords(supplied));
const asJson = (text: string) => JSON.stringify(text).slice(1, -1);
const asUnicode = (text: string) => [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
const asEntities = (text: string) => [...text].map((c) => `&#x${(c.codePointAt(0) ?? 0).toString(16)};`).join('');

describe('what upstream only repeats decides nothing', () => {
  const LONG =
    'Draw a sign.\nIt says "apikey error", in \\red\\ & <b>insufficient credits</b>: 100% prompt rejected; 余额不足 is below';
  test.each<[string, string, unknown]>([
    ['a model', `Model not known: ${MONEY}`, chat('hi', { model: MONEY })],
    ['a model in capitals', `No such thing as INSUFFICIENT CREDITS`, chat('hi', { model: MONEY })],
    ['a model with dashes', 'api-key-error is no name that we know', chat('hi', { model: 'api-key-error' })],
    ['a part of a model', 'we know no x/api-key-error:free', chat('hi', { model: 'x/api-key-error:free' })],
    ['a model cut short', 'we know no "api-key-error:fr…"', chat('hi', { model: 'api-key-error:free' })],
    ['a short prompt', `bad prompt: ${KEY}`, { model: 'm', prompt: KEY }],
    ['a short prompt in quotes', `"${KEY}" cannot be drawn`, { model: 'm', prompt: KEY }],
    ['a short prompt and nothing else', KEY, { model: 'm', prompt: ` ${KEY}! ` }],
    ['a very short prompt in quotes', 'what does “timeout” mean', chat('timeout')],
    ['a short Chinese prompt', '提示词余额不足无法理解', { model: 'm', prompt: '余额不足' }],
    ['a prompt as it is', `cannot draw ${LONG}`, { model: 'm', prompt: LONG }],
    ['a prompt in capitals', `cannot draw ${LONG.toUpperCase()}`, { model: 'm', prompt: LONG }],
    ['a prompt as JSON', `cannot draw "${asJson(LONG)}"`, { model: 'm', prompt: LONG }],
    ['a prompt as JSON in JSON', `cannot draw "${asJson(asJson(LONG))}"`, { model: 'm', prompt: LONG }],
    ['a prompt as JSON in capitals', `cannot draw "${asJson(LONG).toUpperCase()}"`, { model: 'm', prompt: LONG }],
    ['a prompt in unicode escapes', `cannot draw "${asUnicode(LONG)}"`, { model: 'm', prompt: LONG }],
    ['a prompt in entities', `cannot draw ${asEntities(LONG)}`, { model: 'm', prompt: LONG }],
    ['a prompt as HTML', `cannot draw ${LONG.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}`, { model: 'm', prompt: LONG }],
    ['a prompt as a part of a URL', `GET /x?p=${encodeURIComponent(LONG)}`, { model: 'm', prompt: LONG }],
    [
      'a prompt with its spaces gone',
      `cannot draw ${LONG.replace(/\s+/g, ' ')}`,
      { model: 'm', prompt: LONG.replaceAll(' ', ' \n ') },
    ],
    ['a prompt cut short', `cannot draw "${LONG.slice(0, 35)}…"`, { model: 'm', prompt: LONG }],
    [
      'a prompt cut after its first words',
      'cannot draw "api-key error..."',
      { model: 'm', prompt: 'api-key error, in red letters' },
    ],
    ['a Chinese prompt cut after its first words', '无法理解「余额不足…」', { model: 'm', prompt: '余额不足的人在街上走' }],
    ['the end of a prompt', 'cannot draw "…apikey error"', { model: 'm', prompt: 'red letters: apikey error' }],
    [
      'a prompt in full-width letters',
      `cannot draw ｂｌｕｅ ａｐｉｋｅｙ ｅｒｒｏｒ`,
      { model: 'm', prompt: 'ｂｌｕｅ ａｐｉｋｅｙ ｅｒｒｏｒ' },
    ],
    ['a prompt in mathematical letters', '𝐛𝐥𝐮𝐞 𝐚𝐩𝐢𝐤𝐞𝐲 𝐞𝐫𝐫𝐨𝐫', { model: 'm', prompt: '𝐛𝐥𝐮𝐞 𝐚𝐩𝐢𝐤𝐞𝐲 𝐞𝐫𝐫𝐨𝐫 in red' }],
    [
      'a prompt that was escaped by its caller',
      'cannot draw blue%20api%6Bey%20error',
      { model: 'm', prompt: 'blue%20api%6Bey%20error' },
    ],
    ['a text part', `message "my ${MONEY}" is odd`, chat([{ type: 'text', text: `my ${MONEY}` }])],
    [
      'two parts in a row',
      `"insufficient credits"`,
      chat([
        { type: 'text', text: 'insufficient' },
        { type: 'text', text: 'credits' },
      ]),
    ],
    ['a kind that is free text', `no such type: ${KEY}`, { model: 'm', tools: [{ type: KEY }] }],
    ['a name', `name ${KEY} is not allowed`, { model: 'm', messages: [{ role: 'user', content: 'x', name: KEY }] }],
    ['a stop word', `stop[0] "no ${KEY} here"`, chat('x', { stop: [`no ${KEY} here`] })],
    ['the user field', `user: ${KEY}`, chat('x', { user: KEY })],
    [
      'a link',
      'cannot fetch https://a.example/unauthorized/x.png',
      { model: 'm', prompt: 'x', images: ['https://a.example/unauthorized/x.png'] },
    ],
    [
      'a link escaped',
      'cannot fetch https%3A%2F%2Fa.example%2Funauthorized',
      chat([{ type: 'image_url', image_url: { url: 'https://a.example/unauthorized' } }]),
    ],
    ['a body given as text', `cannot draw my ${KEY}`, JSON.stringify({ model: 'm', prompt: `my ${KEY}` })],
    ['a body given as bytes', `cannot draw my ${KEY}`, Buffer.from(JSON.stringify({ model: 'm', prompt: `my ${KEY}` }))],
    ['a prompt behind a long text', `${'x'.repeat(20_000)} ${LONG}`, { model: 'm', prompt: LONG }],
  ])('%s', (_what, text, supplied) => {
    expect(judged(text, {}).category).not.toBe('unknown');
    expect(judged(text, supplied).category).toBe('unknown');
  });

  test('and where it speaks of the key or the credits, that is told apart from other unknown words', () => {
    expect(judged(`bad prompt: ${KEY}`, { prompt: KEY })).toEqual({ category: 'unknown', suspect: 'auth' });
    expect(judged(`bad prompt: my ${MONEY}`, { prompt: `my ${MONEY}` })).toEqual({ category: 'unknown', suspect: 'balance' });
    expect(judged('bad prompt: model not found', { prompt: 'a model not found' }).suspect).toBeUndefined();
  });
});

describe('what upstream says itself counts', () => {
  test.each<[string, string, unknown, string]>([
    ['beside an echo', `cannot draw "my ${KEY}": ${MONEY}`, { prompt: `my ${KEY}` }, 'balance'],
    ['in front of an echo', `${MONEY} for "my ${KEY}"`, { prompt: `my ${KEY}` }, 'balance'],
    ['in the words of an echo, and once more', `"my ${KEY}" was refused, api key error`, { prompt: `my ${KEY}` }, 'auth'],
    ['although the prompt holds a part of it', 'generate image failed', { prompt: 'generate image of a cat' }, 'failed'],
    [
      'although the prompt holds each of its words',
      MONEY,
      { prompt: 'the credits are insufficient, insufficiently so' },
      'balance',
    ],
    ['although the prompt is one of its words', 'generation failed', { prompt: 'generation' }, 'failed'],
    ['although the prompt is a short word of it', 'request timeout', { prompt: 'time' }, 'transient'],
    [
      'although the prompt has its short word somewhere',
      'the output violates our rules',
      { prompt: 'she violates every law' },
      'moderation',
    ],
    ['although the model is a part of a word of it', 'unauthorized', { model: 'authorized' }, 'auth'],
    ['although the caller wrote it in escapes', 'prompt rejected', { prompt: 'x%20prompt%20rejected' }, 'moderation'],
    ['about a model by name', 'model not found: gemini', { model: 'gemini' }, 'model'],
    ['to a caller without words', KEY, undefined, 'auth'],
  ])('%s', (_what, text, supplied, category) => {
    expect(judged(text, supplied).category).toBe(category);
  });
});

test('whatever upstream puts around a prompt, its words are known again', () => {
  const around = fc.stringMatching(/^[ -~]{0,40}$/);
  const how = fc.constantFrom(
    (text: string) => text,
    asJson,
    (text: string) => asJson(asJson(text)),
    asUnicode,
    asEntities,
    encodeURIComponent,
    (text: string) => text.toUpperCase(),
  );
  const prompt = fc.tuple(
    fc.string({ maxLength: 30 }),
    fc.constantFrom(KEY, MONEY, 'unauthorized'),
    fc.string({ maxLength: 30 }),
  );
  fc.assert(
    fc.property(prompt, how, around, around, ([head, words, tail], echo, before, after) => {
      const text = `${head} ${words} ${tail}`;
      const answer = `${before} "${echo(text)}" ${after}`;
      fc.pre(classifyText(`${before} "" ${after}`).category === 'unknown');
      expect(['auth', 'balance']).not.toContain(judged(answer, { prompt: text }).category);
    }),
    { numRuns: 300 },
  );
});

test('when a caller wrote 20 MiB then they are looked through in one go', () => {
  const prompt = `${'a quick brown fox & friends\n'.repeat(800_000)}friends ${KEY}`;
  expect(judged(`bad: ${Array(300).fill(`friends ${KEY}`).join(' ')}`, { prompt }).category).toBe('unknown');
});
