import { expect, test } from 'vitest';
import { createRecentTexts } from './recent-texts.ts';

function open({ keepMs = 1000, mostBytes = 1_000_000 }) {
  let now = 1;
  const texts = createRecentTexts({ keepMs, mostBytes, timers: { elapsed: () => now } });
  return { texts, pass: (ms: number) => (now += ms), keys: () => texts.all().map(([key]) => key) };
}

test('when texts are kept then they come back oldest first, without those that were forgotten', () => {
  const { texts } = open({});
  for (const key of ['a', 'b', 'c']) texts.keep(key, `text of ${key}`);
  texts.forget('b');
  texts.forget('never kept');
  expect([texts.get('a'), texts.get('b')]).toEqual(['text of a', undefined]);
  expect(texts.all()).toEqual([
    ['a', 'text of a'],
    ['c', 'text of c'],
  ]);
});

test('when its time is over then a text is gone, and one that is kept anew begins anew', () => {
  const { texts, pass, keys } = open({ keepMs: 1000 });
  texts.keep('old', '1');
  texts.keep('again', '1');
  pass(900);
  texts.keep('again', '2');
  pass(200);
  expect(texts.all()).toEqual([['again', '2']]);
  pass(1000);
  expect(keys()).toEqual([]);
});

test('when there are more bytes than there may be then the oldest go, whatever their number', () => {
  const { texts, keys } = open({ mostBytes: 100_000 });
  for (let n = 0; n < 5; n += 1) texts.keep(`long ${n}`, 'x'.repeat(30_000));
  expect(keys()).toEqual(['long 2', 'long 3', 'long 4']);
  for (let n = 0; n < 100; n += 1) texts.keep(`short ${n}`, 'x');
  expect(keys()).toHaveLength(102);
  expect(keys()[0]).toBe('long 3');
});

test('when a text alone is too large then it is not kept, and nothing goes for it', () => {
  const { texts, keys } = open({ mostBytes: 10_000 });
  texts.keep('small', 'x');
  texts.keep('large', 'ü'.repeat(5000));
  expect(keys()).toEqual(['small']);
});

test('when many short texts are kept then what each takes beside its text counts', () => {
  const { texts, keys } = open({ mostBytes: 100_000 });
  for (let n = 0; n < 10_000; n += 1) texts.keep(String(n), '');
  expect(keys().length).toBeLessThan(400);
});
