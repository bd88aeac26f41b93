import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PRICE_FILE_LIMITS, readPriceFile } from './price-file.ts';

const problemsOf = (text: string): readonly string[] => {
  const read = readPriceFile(text);
  return 'problems' in read ? read.problems : [];
};

test('when a file has the three kinds of prices then they are read', () => {
  const file = {
    'nano-banana-2': { credits: 1200 },
    'gemini-3.1-pro': { input: 30_000, output: 0 },
    'minimax-h3': { per_second: { '480p': 0.5, '1080p': 900 } },
  };
  const read = readPriceFile(`\uFEFF${JSON.stringify(file, null, 2)}\n`);
  expect('prices' in read && Object.fromEntries(read.prices)).toEqual(file);
  expect(readPriceFile('{}')).toEqual({ prices: new Map() });
});

describe('when a file cannot be meant then the problem says where and what is expected', () => {
  test.each<[string, RegExp]>([
    ['', /^is empty; without prices write \{\}$/],
    [' \n', /^is empty/],
    ['[]', /^must be one object of models, such as/],
    ['"nano-banana-2"', /^must be one object/],
    ['null', /^must be one object/],
    ['{\n"a": {"credits": 1}\n"b": {"credits": 1}\n}', /^line 3: is no JSON/],
    ['{\n"a": {"credits": 1},\n}\n', /^line 3: is no JSON/],
    ["{\n\n'a': 1}", /^line 3: is no JSON/],
    ['{"a": {"credits": 1}}\n\n{}', /^line 3: is no JSON/],
    ['{\n"a": {"credits": 12', /^ends before its JSON does/],
    ['{\n"a": {"credits": 1,\n"b', /^line 3: is no JSON/],
    ['{\n\n"a": 1200}', /^line 3: "a" must have a price: \{"credits": 1200\} for a call/],
    ['{\n"a": null}', /^line 2: "a" must have a price/],
    ['{\n"a": {}}', /^line 2: "a" must have one kind of price and nothing else/],
    ['{"a": {"credits": 1, "input": 2, "output": 2}}', /^line 1: "a" must have one kind of price/],
    ['{"a": {"input": 2}}', /^line 1: "a" must have one kind of price/],
    ['{"a": {"credit": 2}}', /^line 1: "a" must have one kind of price/],
    ['{"a": {"credits": "1200"}}', /^line 1: "a" "credits" must be a number of credits from 0 to 1000000000000, without quotes$/],
    ['{"a": {"credits": -1}}', /^line 1: "a" "credits" must be a number of credits from 0/],
    ['{"a": {"credits": 1e400}}', /^line 1: "a" "credits" must be a number/],
    ['{"a": {"credits": 1e13}}', /^line 1: "a" "credits" must be a number/],
    ['{"a": {"input": 1, "output": true}}', /^line 1: "a" "output" must be a number/],
    ['{"a": {"per_second": 900}}', /^line 1: "a" "per_second" must have resolutions/],
    ['{"a": {"per_second": {}}}', /^line 1: "a" "per_second" must have resolutions/],
    ['{"a": {"per_second": {"1080 p": 1}}}', /^line 1: "a" "per_second" has a resolution that is none/],
    ['{"a": {"per_second": {"1080p": null}}}', /^line 1: "a" "per_second" of "1080p" must be a number/],
    ['{"nano banana": {"credits": 1}}', /^line 1: "nano banana" is no name of a model: letters/],
    [
      '{"a": {"credits": 1},\n"b": {"credits": 1},\n"\\u0061": {"credits": 2}}',
      /^line 3: "a" stands there twice, first in line 1$/,
    ],
  ])('%j', (text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(problem)]);
  });
});

test('when several things are wrong then each is said', () => {
  expect(problemsOf('{\n"a": 1,\n"b": {"credits": 1},\n"c": {"credits": "x"}\n}')).toHaveLength(2);
});

test('when a file has as many models as it may then it is read, and not with one more', () => {
  const file = (models: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: models }, (_, i) => [`m${i}`, { credits: i }])));
  expect(problemsOf(file(PRICE_FILE_LIMITS.models))).toEqual([]);
  expect(problemsOf(file(PRICE_FILE_LIMITS.models + 1))).toEqual(['has 1001 models; at most 1000 are taken']);
});

test('when names look like fields of objects then they are names like any other', () => {
  const read = readPriceFile('{"__proto__": {"credits": 1}, "constructor": {"credits": 2}}');
  expect('prices' in read && [...read.prices]).toEqual([
    ['__proto__', { credits: 1 }],
    ['constructor', { credits: 2 }],
  ]);
});

test('when a text is anything then it is prices or problems, and a long name is not repeated whole', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.dictionary(fc.string(), fc.jsonValue()).map((file) => JSON.stringify(file)),
      ),
      (text) => {
        const read = readPriceFile(text);
        if ('prices' in read)
          for (const price of read.prices.values()) expect(JSON.stringify(price)).toMatch(/credits|input|per_second/);
        else expect(read.problems.length).toBeGreaterThan(0);
      },
    ),
  );
  expect(problemsOf(JSON.stringify({ ['x'.repeat(5000)]: 1 }))[0]?.length).toBeLessThan(300);
});
