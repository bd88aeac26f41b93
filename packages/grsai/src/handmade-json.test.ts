import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mendedJson } from './handmade-json.ts';

const read = (text: string): unknown => JSON.parse(mendedJson(text) ?? 'null');

test.each<[string, string, unknown]>([
  ['a line end, a tab and worse in a text', '{"a":"x\ny\tz\u0001"}', { a: 'x\ny\tz\u0001' }],
  ['commas too many', '{"a":[1,2, ],}', { a: [1, 2] }],
  ['numbers that are none', '{"a":NaN,"b":-Infinity,"c":[Infinity]}', { a: null, b: null, c: [null] }],
  ['words of other languages', '{"a":None,"b":undefined}', { a: null, b: null }],
  ['all of it beside a text that says the same', '{"NaN, }":"None,\\"]","b":NaN,}', { 'NaN, }': 'None,"]', b: null }],
  [
    'what Python prints',
    `{'a': "it's", 'b': [True, None], 'c': 'say "x" and \\'y\\''}`,
    { a: "it's", b: [true, null], c: `say "x" and 'y'` },
  ],
])('%s is mended', (_, text, value) => expect(read(text)).toEqual(value));

test.each(['{"a":1}', '{"a":"NaN,}"}', '{"a":', '{]', '"a\nb"', '', 'NaN', '{"a":"\\'])('nothing is mended in %j', (text) =>
  expect(mendedJson(text)).toBeUndefined(),
);

test('what is JSON stays as it is', () => {
  fc.assert(fc.property(fc.json(), (text) => mendedJson(text) === undefined));
});

test('a megabyte of texts without an end is passed over once', () => {
  const began = performance.now();
  mendedJson(`{"a":"${'\\"\n'.repeat(400_000)}`);
  expect(performance.now() - began).toBeLessThan(3000);
});
