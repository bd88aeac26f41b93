import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collect, documentsOf } from './answer.ts';
import { DocumentReader } from './documents.ts';
import { GrsaiConnectionError } from './errors.ts';
import type { Response } from './exchange.ts';

const plain = (text: string): string => text;

/** An answer whose bytes come in these pieces, and then maybe break off. */
const responseOf = (pieces: readonly Uint8Array[], broken?: Error): Response => ({
  base: 'http://upstream.test',
  path: '/x',
  status: 200,
  headers: { 'retry-after': '3' },
  repeatable: false,
  words: undefined,
  lost: 'unknown',
  drop: () => undefined,
  endWithin: () => undefined,
  async *chunks() {
    yield* pieces;
    if (broken !== undefined) throw broken;
  },
});

const cut = (bytes: Uint8Array, places: readonly number[]): Uint8Array[] => {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length));
};

async function valuesOf(pieces: readonly Uint8Array[]): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const { text, value } of documentsOf(responseOf(pieces), new DocumentReader())) values.push(value ?? text);
  return values;
}

test('any split of the bytes gives the same values, also inside a character', () => {
  const value = fc.record({ id: fc.uuid(), text: fc.string({ unit: 'binary', maxLength: 20 }), progress: fc.nat() });
  const stream = fc.oneof(
    fc.array(value, { minLength: 1, maxLength: 5 }).map((values) => ({
      values: [...values, '[DONE]'],
      text: `${values.map((item) => `data: ${JSON.stringify(item)}\n\n`).join('')}data: [DONE]\n\n`,
    })),
    value.map((item) => ({ values: [item], text: JSON.stringify(item) })),
  );
  return fc.assert(
    fc.asyncProperty(stream, fc.array(fc.nat(), { maxLength: 20 }), async ({ values, text }, places) => {
      // The wire carries UTF-8, which knows no lone surrogates; JSON.stringify has escaped them.
      expect(await valuesOf(cut(Buffer.from(text), places))).toEqual(values);
    }),
    { numRuns: 60 },
  );
});

test('bytes that are no UTF-8 are read as far as they go', async () => {
  expect(await valuesOf([Buffer.from('{"a":"'), Buffer.of(0xff, 0xc3), Buffer.from('"}')])).toEqual([{ a: '��' }]);
});

test('what was complete before the connection broke is kept, with the reason', async () => {
  const broken = new GrsaiConnectionError({ code: 'connection_lost', outcome: 'unknown', message: 'reset' });
  const pieces = [Buffer.from('data: {"id":"6-a"}\n\ndata: {"id":"6-')];
  const reply = await collect(responseOf(pieces, broken), plain, () => false);
  expect(reply.documents.map(({ value }) => value)).toEqual([{ id: '6-a' }, undefined]);
  expect(reply).toMatchObject({ cut: broken, shape: 'events', retryAfterMs: 3000 });
});

test('an error that is none of ours is not hidden', async () => {
  await expect(collect(responseOf([], new RangeError('a bug')), plain)).rejects.toThrow('a bug');
});

test('a bare JSON is enough by itself, events until one is', async () => {
  const events = Buffer.from('data: {"n":1}\n\ndata: {"n":2}\n\ndata: {"n":3}\n\n');
  const reply = await collect(responseOf([events]), plain, ({ value }) => (value as { n: number }).n === 2);
  expect(reply.documents.map(({ value }) => value)).toEqual([{ n: 1 }, { n: 2 }]);
  const bare = await collect(responseOf([Buffer.from('{"n":1}')], new Error('never read')), plain, () => false);
  expect(bare.documents).toHaveLength(1);
});
