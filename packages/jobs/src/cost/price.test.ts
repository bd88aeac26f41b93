import { expect, test } from 'vitest';
import type { CatalogueModel } from '../catalogue/catalogue.ts';
import type { ModelPrice } from '../catalogue/model.ts';
import { type Priced, priceOf, tokensOf } from './price.ts';

const model = (price: ModelPrice | null, more: Partial<CatalogueModel> = {}): CatalogueModel => ({
  id: 'm',
  type: 'image',
  price,
  priceFrom: price === null ? null : 'list',
  maintenance: null,
  closed: false,
  refunds: { error: null, violation: null },
  tokenLimit: null,
  listedAt: null,
  ...more,
});
const image: Priced = { type: 'image' };
const chat = (content: string | object[], more: object = {}): Priced => ({
  type: 'chat',
  input: { messages: [{ content }], ...more },
});
const TOKENS = { input: 30_000, output: 140_000 };

test('when a model has no price, or one that does not fit what is asked for, then the job has none', () => {
  expect(priceOf(undefined, image)).toBeNull();
  expect(priceOf(model(null), image)).toBeNull();
  expect(priceOf(model({ per_second: { '1080p': 900 } }), image)).toBeNull();
  expect(priceOf(model(TOKENS), image)).toBeNull();
});

test('when a call has one price then that is set aside, in whole credits', () => {
  expect(priceOf(model({ credits: 1200 }), image)).toEqual({
    reserve: 1200,
    refunds: { error: true, violation: false },
    isOld: false,
  });
  expect(priceOf(model({ credits: 0.5 }), chat('hi'))?.reserve).toBe(1);
  expect(priceOf(model({ credits: 0 }), image)?.reserve).toBe(0);
});

test('when the catalogue says what comes back, or only the table of this version has the price, then the price says so', () => {
  const vip = model({ credits: 9 }, { refunds: { error: false, violation: true }, priceFrom: 'table' });
  expect(priceOf(vip, image)).toEqual({ reserve: 9, refunds: { error: false, violation: true }, isOld: true });
});

test('when a chat is priced by tokens then a third of its characters and at most 4096 tokens of answer are set aside', () => {
  const reserved = (asked: Priced) => priceOf(model(TOKENS), asked)?.reserve;
  expect(reserved(chat('x'.repeat(300)))).toBe(Math.ceil((100 * 30_000 + 4096 * 140_000) / 1e6));
  expect(reserved(chat('x'.repeat(300), { max_tokens: 10 }))).toBe(Math.ceil((100 * 30_000 + 10 * 140_000) / 1e6));
  expect(reserved(chat('', { max_completion_tokens: 100_000 }))).toBe(Math.ceil((4096 * 140_000) / 1e6));
  const parts = [
    { type: 'text', text: 'x'.repeat(300) },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(9999)}` } },
  ];
  expect(reserved(chat(parts, { max_tokens: 10 }))).toBe(reserved(chat('x'.repeat(300), { max_tokens: 10 })));
});

test.each<[unknown, object | null]>([
  [
    { prompt_tokens: 11, completion_tokens: 204 },
    { prompt: 11, completion: 204 },
  ],
  [
    { prompt_tokens: '11', completion_tokens: ' 204 ' },
    { prompt: 11, completion: 204 },
  ],
  [{ prompt_tokens: '11', completion_tokens: 'many' }, null],
  [{ prompt_tokens: -1, completion_tokens: 1 }, null],
  [{ prompt_tokens: 1.5, completion_tokens: '' }, null],
  [{ prompt_tokens: 11 }, null],
  ['none', null],
])('when an answer says %j of its tokens then that is read as far as it can be', (usage, tokens) => {
  expect(tokensOf({ usage })).toEqual(tokens);
});
