import { expect, test } from 'vitest';
import { catalogueOf, viewModel } from './catalogue.ts';
import type { ListedModel } from './model.ts';

const model = (id: string, more: Partial<ListedModel> = {}): ListedModel => ({
  id,
  type: null,
  price: null,
  maintenance: null,
  closed: false,
  refunds: { error: null, violation: null },
  tokenLimit: null,
  ...more,
});

const READ_AT = Date.parse('2026-11-27T10:00:00Z');
const KNOWN = [
  model('a', { type: 'image', price: { credits: 1 }, refunds: { error: true, violation: false }, tokenLimit: 5 }),
  model('gone', { closed: true }),
];
const viewOf = (id: string, sources: Partial<Parameters<typeof catalogueOf>[0]>) => {
  const found = catalogueOf({ list: null, prices: new Map(), known: KNOWN, ...sources }).get(id);
  return found && viewModel(found);
};

test('when there is no list then a model is as this version knows it', () => {
  expect(viewOf('a', {})).toEqual({
    id: 'a',
    object: 'model',
    type: 'image',
    price: { credits: 1 },
    price_source: 'table',
    closed: false,
    maintenance: null,
    refunds: { error: true, violation: false },
    token_limit: 5,
    updated_at: null,
  });
  expect(viewOf('gone', {})).toMatchObject({ closed: true, price: null, price_source: null });
  expect(viewOf('other', {})).toBeUndefined();
});

test('when the list has a model then what it says wins, and what it leaves open is filled in', () => {
  const listed = [model('a', { price: { credits: 9 }, maintenance: 'soon back', refunds: { error: false, violation: null } })];
  const list = { read_at: READ_AT, models: [...listed, model('gone'), model('new', { type: 'chat' })] };
  expect(viewOf('a', { list })).toMatchObject({
    type: 'image',
    price: { credits: 9 },
    price_source: 'list',
    maintenance: 'soon back',
    refunds: { error: false, violation: false },
    token_limit: 5,
    updated_at: '2026-11-27T10:00:00.000Z',
  });
  expect(viewOf('gone', { list })).toMatchObject({ closed: false });
  expect(viewOf('new', { list })).toMatchObject({ type: 'chat', price: null, updated_at: '2026-11-27T10:00:00.000Z' });
});

test('when the list has no price, or not the model, then the table stands in', () => {
  expect(viewOf('a', { list: { read_at: READ_AT, models: [model('a')] } })).toMatchObject({ price_source: 'table' });
  expect(viewOf('a', { list: { read_at: READ_AT, models: [model('b')] } })).toMatchObject({
    price_source: 'table',
    updated_at: null,
  });
});

test('when the file has a price then it wins over the list and the table, also for a model that neither has', () => {
  const prices = new Map([
    ['a', { credits: 0 }],
    ['mine', { input: 1, output: 2 }],
  ]);
  const list = { read_at: READ_AT, models: [model('a', { price: { credits: 9 }, closed: true })] };
  expect(viewOf('a', { list, prices })).toMatchObject({ price: { credits: 0 }, price_source: 'file', closed: true });
  expect(viewOf('mine', { prices })).toMatchObject({ price: { input: 1, output: 2 }, price_source: 'file', closed: false });
});

test('when all are listed then they stand in the order of their names, each once', () => {
  const list = { read_at: READ_AT, models: [model('z'), model('a'), model('b')] };
  expect([...catalogueOf({ list, prices: new Map([['b', { credits: 1 }]]), known: KNOWN }).keys()]).toEqual([
    'a',
    'b',
    'gone',
    'z',
  ]);
});
