import { gzipSync } from 'node:zlib';
import { createSliceQueue } from '@grsai-jobs/runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RawItem } from '../use-cases/read-item.ts';
import { jsonItems, ndjsonItems } from './batch-items.ts';

async function read(chunks: readonly Uint8Array[]): Promise<RawItem[]> {
  const items: RawItem[] = [];
  const source = async function* () {
    yield* chunks;
  };
  for await (const group of ndjsonItems(source(), createSliceQueue().of('acme'))) items.push(...group);
  return items;
}

const values = (items: readonly RawItem[]) => items.map(({ line, value }) => [line, value]);

test('whatever values are sent as lines, with whatever line ends and chunks, the same values are read', async () => {
  const anyValue = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes('"__proto__"'));
  const anyEnd = fc.constantFrom('\n', '\r\n', '\n\n', '\n \r\n');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyValue, anyEnd), { maxLength: 20 }),
      fc.integer({ min: 1, max: 50 }),
      async (rows, size) => {
        const body = Buffer.from(`\ufeff${rows.map(([value, end]) => JSON.stringify(value) + end).join('')}`);
        const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, i) => body.subarray(i * size, (i + 1) * size));
        const items = await read(chunks);
        expect(items.map(({ value }) => value)).toEqual(rows.map(([value]) => JSON.parse(JSON.stringify(value))));
      },
    ),
  );
});

test('when long lines stand among short ones then all are read in their order, blank and malformed ones as such', async () => {
  const long = 'a'.repeat(300_000);
  const body = `1\n"${long}"\n2\n${' '.repeat(300_000)}\n3\n"${long}\n{"b":"${long}"}`;
  const chunks = Array.from({ length: Math.ceil(body.length / 65_536) }, (_, i) =>
    Buffer.from(body.slice(i * 65_536, (i + 1) * 65_536)),
  );
  const items = await read(chunks);
  expect(items.map(({ line, value }) => [line, value])).toEqual([
    [1, 1],
    [2, long],
    [3, 2],
    [5, 3],
    [6, undefined],
    [7, { b: long }],
  ]);
  expect(items[4]?.malformed).toMatch(/^The line is not valid JSON/);
});

test('when lines are blank then they are passed over and still count', async () => {
  expect(values(await read([Buffer.from('\ufeff\r\n{"a":1}\r\n   \n\t\n{"b":2}')]))).toEqual([
    [2, { a: 1 }],
    [5, { b: 2 }],
  ]);
});

test('when a line is no strict JSON then it is reported with its number, and the others are read', async () => {
  const items = await read([Buffer.from('{"a":1}\n{"a":1,"a":2}\n{"__proto__":{}}\n"\\ud800"\n{]\n{"b":2}\n')]);
  expect(items.map(({ line, malformed }) => [line, malformed?.replace(/:.*/, '')])).toEqual([
    [1, undefined],
    [2, 'The key "a" stands twice in one object.'],
    [3, 'The key "__proto__" is not allowed.'],
    [4, 'The line holds a lone surrogate (half of a Unicode pair).'],
    [5, 'The line is not valid JSON'],
    [6, undefined],
  ]);
});

test('when a line is not UTF-8 then reading ends there with its number', async () => {
  const latin1 = Buffer.concat([Buffer.from('{"a":1}\n"caf'), Buffer.from([0xe9]), Buffer.from('"\n')]);
  await expect(read([latin1])).rejects.toThrow('Line 2 is not valid UTF-8');
  await expect(read([gzipSync('{}')])).rejects.toThrow('Line 1 is not valid UTF-8');
});

test('when items stand over defaults then each has what it leaves out, and large defaults cannot make a small body huge', async () => {
  const items: RawItem[] = [];
  const form = {
    defaults: { type: 'image', input: { model: 'nano-banana-2' } },
    items: [{ custom_id: 'a', input: { prompt: 'p' } }, 7],
  };
  for await (const group of jsonItems(form)) items.push(...group);
  expect(values(items)).toEqual([
    [1, { type: 'image', input: { model: 'nano-banana-2', prompt: 'p' }, custom_id: 'a' }],
    [2, 7],
  ]);
  const large = { defaults: { metadata: { a: 'x'.repeat(1_000_000) } }, items: Array.from({ length: 1000 }, () => ({})) };
  const all = async () => {
    for await (const _group of jsonItems(large));
  };
  await expect(all()).rejects.toThrow('limited to 200000000 bytes');
});
