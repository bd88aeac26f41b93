import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyJson, maybeEnveloped } from '../../test/odd-answers.ts';
import { MOST_MODELS, readModelList } from './list.ts';

const only = (row: object) => readModelList({ code: 0, data: { list: [row] } }).models[0];

test('when a row is as upstream writes it then all of it is read', () => {
  const row = {
    id: '66aa00bb',
    name: 'nano-banana-2-cl',
    type: 'image',
    cost: 6000,
    costType: 0,
    desc: 'x',
    group: 'g',
    closeModel: false,
    maintenance: ' model\nmaintenance ',
    errorReturn: false,
    violationReturn: true,
    maxToken: 0,
  };
  expect(readModelList({ code: 0, msg: 'success', data: { list: [row] } })).toEqual({
    models: [
      {
        id: 'nano-banana-2-cl',
        type: 'image',
        price: { credits: 6000 },
        maintenance: 'model maintenance',
        closed: false,
        refunds: { error: false, violation: true },
        tokenLimit: null,
      },
    ],
    leftOut: 0,
  });
});

test('when a row says no more than its name then the rest is open', () => {
  expect(only({ name: 'm' })).toEqual({
    id: 'm',
    type: null,
    price: null,
    maintenance: null,
    closed: false,
    refunds: { error: null, violation: null },
    tokenLimit: null,
  });
});

describe('when the price is written otherwise then it is read where its unit is clear', () => {
  test.each<[object, unknown]>([
    [{ cost: '1,200', cost_type: '0' }, { credits: 1200 }],
    [{ credits: 600.5, cost_type: 0 }, { credits: 600.5 }],
    [{ price: 440, priceType: 'per_call' }, { credits: 440 }],
    [{ price: 440, type: 'image' }, { credits: 440 }],
    [{ price: 440 }, null],
    [{ price: 440, type: 'chat' }, null],
    [{ cost: 10, costType: 1 }, null],
    [{ cost: 10, costType: 7 }, null],
    [{ cost: -1, costType: 0 }, null],
    [{ cost: 0, costType: 0 }, null],
    [{ cost: 'free', costType: 0 }, null],
    [{ cost: 1e300, costType: 0 }, null],
    [{ cost: true, costType: 0 }, null],
    [
      { costType: 1, inputCost: 30_000, outputCost: '140000' },
      { input: 30_000, output: 140_000 },
    ],
    [
      { price_type: 'token', input_price: 1, output_price: 2 },
      { input: 1, output: 2 },
    ],
    [
      { costType: 1, cacheInputCost: 3, input: 30, completion: 140 },
      { input: 30, output: 140 },
    ],
    [
      { promptPrice: 5, completionPrice: 0 },
      { input: 5, output: 0 },
    ],
    [
      { costType: 1, cost: { input: 5, output: 6 } },
      { input: 5, output: 6 },
    ],
    [{ costType: 1, inputCost: 30_000 }, null],
    [{ costType: 1, inputCost: 0, outputCost: 0 }, null],
    [{ maxInputTokens: 8192, maxOutputTokens: 1024, costType: 1 }, null],
    [{ inputTokens: 8192, outputTokens: 1024 }, null],
    [{ type: 'video', cost: 0, video: { '480p': 2500, '1080p': '8000' } }, { per_second: { '480p': 2500, '1080p': 8000 } }],
    [
      {
        type: 'video',
        video: [
          { resolution: '768p', cost: 4000 },
          { resolution: '', cost: 1 },
          { resolution: '2k', cost: null },
        ],
      },
      { per_second: { '768p': 4000 } },
    ],
    [{ costType: 'second', prices: { '480p': 1 } }, { per_second: { '480p': 1 } }],
    [{ type: 'video', price: { '480p': { cost: 7 } } }, { per_second: { '480p': 7 } }],
    [{ type: 'image', costType: 1, prices: { '1K': 600 } }, null],
    [{ type: 'video', video: 'https://x.example/y.mp4' }, null],
    [{ type: 'video', video: JSON.parse('{"__proto__": 7, "480p": 1}') as object }, { per_second: { '480p': 1 } }],
  ])('%j', (row, price) => {
    expect(only({ name: 'm', ...row })?.price).toEqual(price);
  });
});

describe('when flags and texts are written otherwise then they mean the same', () => {
  test.each<[object, object]>([
    [{ close_model: 1 }, { closed: true }],
    [{ closed: 'true' }, { closed: true }],
    [{ isClosed: false, disabled: true }, { closed: true }],
    [{ enabled: '0' }, { closed: true }],
    [{ closeModel: 'false', enabled: true }, { closed: false }],
    [{ closeModel: { a: 1 } }, { closed: false }],
    [{ maintenance: true }, { maintenance: 'under maintenance' }],
    [{ maintenance: false }, { maintenance: null }],
    [{ maintenance: '0' }, { maintenance: null }],
    [{ maintenance: { text: '维护中' } }, { maintenance: '维护中' }],
    [{ maintenance: 'x'.repeat(5000) }, { maintenance: 'x'.repeat(200) }],
    [{ error_return: 'yes', violationReturn: 0 }, { refunds: { error: true, violation: false } }],
    [{ refundOnError: 'perhaps' }, { refunds: { error: null, violation: null } }],
    [{ max_token: '65536' }, { tokenLimit: 65_536 }],
    [{ maxToken: -1 }, { tokenLimit: null }],
    [{ type: 'Text-To-Image' }, { type: 'image' }],
    [{ model_type: '视频' }, { type: 'video' }],
    [{ costType: 1, inputCost: 1, outputCost: 1 }, { type: 'chat' }],
    [{ type: 7 }, { type: null }],
  ])('%j', (row, meaning) => {
    expect(only({ name: 'm', ...row })).toMatchObject(meaning);
  });
});

test.each<[object, string | undefined]>([
  [{ name: 'alias-1', model: 'of-the-vendor' }, 'alias-1'],
  [{ name: 'Nano Banana 2', model: 'nano-banana-2' }, 'nano-banana-2'],
  [{ name: '', model: 'nano-banana-2', id: '66aa' }, 'nano-banana-2'],
  [{ id: 'gpt-5.5', object: 'model' }, 'gpt-5.5'],
  [{ name: '维护', id: '66aa00' }, undefined],
  [{ name: 'x'.repeat(129) }, undefined],
  [{ name: { a: 1 } }, undefined],
])('when a row is named %j then it is %s', (row, id) => {
  expect(only(row)?.id).toBe(id);
});

const ROWS = [{ name: 'a', cost: 1, costType: 0 }, { name: 'b' }];

test.each<[string, unknown]>([
  ['a bare list', ROWS],
  ['the data', { code: 0, data: ROWS }],
  ['a list in the data', { code: 0, data: { total: 2, list: ROWS } }],
  ['models', { data: { models: ROWS } }],
  ['groups', { data: { image: [ROWS[0]], chat: [ROWS[1]] } }],
  ['an object by name', { data: { a: { cost: 1, costType: 0 }, b: { name: '' } } }],
  ['no code', { data: { list: ROWS } }],
])('when the list stands as %s then it is found', (_where, value) => {
  const { models, leftOut } = readModelList(value);
  expect([models.map(({ id }) => id), models[0]?.price, leftOut]).toEqual([['a', 'b'], { credits: 1 }, 0]);
});

test('when models stand in groups then the group says the type of those that do not', () => {
  const { models } = readModelList({ data: { video: [{ name: 'a' }], other: [{ name: 'b', type: 'image' }] } });
  expect(models.map(({ type }) => type)).toEqual(['video', 'image']);
});

test('when rows cannot be read, or name a model twice, then they are counted and cost no other', () => {
  const { models, leftOut } = readModelList([null, 7, 'x', [], {}, ...ROWS, { name: 'a', cost: 9, costType: 0 }, { name: ' ' }]);
  expect([models.map(({ id, price }) => [id, price]), leftOut]).toEqual([
    [
      ['a', { credits: 1 }],
      ['b', null],
    ],
    7,
  ]);
});

test('when the list is longer than any then the first are read', () => {
  const { models, leftOut } = readModelList(Array.from({ length: 3000 }, (_, i) => ({ name: `m${i}` })));
  expect([models.length, leftOut]).toEqual([MOST_MODELS, 3000 - MOST_MODELS]);
});

/** One row with values of any kind under the names that decide something. */
const anyRow = fc.dictionary(
  fc.constantFrom(
    'name',
    'model',
    'id',
    'cost',
    'costType',
    'price',
    'video',
    'inputCost',
    'output',
    'maintenance',
    'closeModel',
    'type',
    'maxToken',
    '__proto__',
    'x',
  ),
  fc.oneof(anyJson, fc.string()),
);

test('when the answer is any JSON then nothing is thrown, and what is read keeps its bounds', () => {
  const answer = fc.oneof(anyJson, fc.array(fc.oneof(anyJson, anyRow)).chain(maybeEnveloped), fc.jsonValue());
  fc.assert(
    fc.property(answer, (value) => {
      for (const model of readModelList(value).models) {
        expect(model.id).toMatch(/^[A-Za-z0-9._:/@-]{1,128}$/);
        expect((model.maintenance ?? '').length).toBeLessThanOrEqual(400);
        const amounts =
          model.price === null
            ? []
            : Object.values(model.price).flatMap((each) => (typeof each === 'object' ? Object.values(each) : each));
        expect(amounts.every((amount) => Number.isFinite(amount) && amount >= 0)).toBe(true);
        expect(JSON.parse(JSON.stringify(model))).toEqual(model);
      }
    }),
    { numRuns: 500 },
  );
});

test('when good rows stand among any others then each is read as if it were alone', () => {
  const good = { name: 'good', type: 'image', cost: 600, costType: 0, closeModel: true };
  const others = fc.array(fc.oneof(anyJson, anyRow), { maxLength: 8 });
  fc.assert(
    fc.property(others, others, (before, after) => {
      const { models, leftOut } = readModelList({ code: 0, data: { list: [...before, good, ...after] } });
      expect(models.find(({ id }) => id === 'good')).toEqual(only(good));
      expect(models.length + leftOut).toBe(before.length + after.length + 1);
    }),
    { numRuns: 500 },
  );
});
