import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatchSource, batchBody } from './batch-body.ts';
import { chunksOf } from './bytes.ts';
import type { BatchItem } from './types.ts';

const item = (n: number, prompt = 'a paper boat'): BatchItem => ({
  custom_id: `item-${n}`,
  type: 'image',
  input: { model: 'nano-banana-2', prompt },
});
/** What JSON, lines and UTF-8 may stumble over. */
const odd = fc.constantFrom('a', ' ', '"', '\\', '\n', '\r', '\0', 'é', '漢', '😀', '\u2028');
const items = (count: number) => Array.from({ length: count }, (_, n) => item(n));
const text = (many: readonly BatchItem[]) => many.map((each) => `${JSON.stringify(each)}\n`).join('');

const never = new AbortController().signal;

async function bytesOf(body: unknown): Promise<Buffer> {
  if (body instanceof Blob) return Buffer.from(await body.arrayBuffer());
  return Buffer.concat(await Array.fromAsync(chunksOf(body as ReadableStream<Uint8Array>)));
}
/** Packs badly, so that there are many chunks. */
const noise = (n: number) =>
  item(n, Array.from({ length: 2_000 }, (_, i) => ((n * 31 + i * i * 17) % 9973).toString(36)).join(''));

test.each([
  [{ gzip: true, streams: true }],
  [{ gzip: true, streams: false }],
  [{ gzip: false, streams: true }],
  [{ gzip: false, streams: false }],
])('when the runtime can do %o then any items arrive as lines, in the first try and in any other', async (can) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: odd, maxLength: 200 }), { maxLength: 20 }), async (prompts) => {
      const many = prompts.map((prompt, n) => item(n, prompt));
      const body = await batchBody(many, never, undefined, can);
      const unpack = (bytes: Buffer) => (can.gzip ? gunzipSync(bytes) : bytes).toString();
      const [first, second] = [await bytesOf(await body.open()), await bytesOf(await body.open())];
      expect(second.equals(first)).toBe(true);
      expect(unpack(first)).toBe(Buffer.from(text(many)).toString());
      expect(body.headers['content-encoding']).toBe(can.gzip ? 'gzip' : undefined);
    }),
    { numRuns: 30 },
  );
});

test('when the first try is left in the middle then the second sends the same bytes from the start, and the source is read once', async () => {
  let read = 0;
  function* oneShot() {
    for (let n = 0; n < 200; n += 1) {
      read += 1;
      yield noise(n);
    }
  }
  const body = await batchBody(oneShot(), never, undefined, { gzip: true, streams: true });
  const reader = ((await body.open()) as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  await reader.cancel();
  expect(read).toBeLessThan(200);
  const whole = await bytesOf(await body.open());
  expect(gunzipSync(whole).toString()).toBe(text(Array.from({ length: 200 }, (_, n) => noise(n))));
  expect(read).toBe(200);
});

test('when bytes are packed already then they are sent as they are, and said to be', async () => {
  const packed = new Uint8Array(Buffer.from((await import('node:zlib')).gzipSync(text(items(3)))));
  const body = await batchBody([packed.subarray(0, 10), packed.subarray(10)], never, undefined, { gzip: true, streams: true });
  expect(body.headers['content-encoding']).toBe('gzip');
  expect((await bytesOf(await body.open())).equals(packed)).toBe(true);
});

test('when a stream gives bytes then they are sent as they came', async () => {
  const body = await batchBody(new Blob([text(items(3))]).stream(), never, undefined, { gzip: true, streams: true });
  expect(gunzipSync(await bytesOf(await body.open())).toString()).toBe(text(items(3)));
});

test('when items are read then the caller is told how many, and how many bytes', async () => {
  const told: unknown[] = [];
  const body = await batchBody(items(5_000), never, (progress) => told.push(progress), { gzip: true, streams: true });
  await bytesOf(await body.open());
  expect(told.length).toBeGreaterThan(2);
  expect(told.at(-1)).toEqual({ items: 5_000, bytes: text(items(5_000)).length });
});

test('when the source fails then so does the try, and the body says why', async () => {
  const lost = new Error('the database is gone');
  function* failing() {
    for (let n = 0; n < 100; n += 1) yield noise(n);
    throw lost;
  }
  const body = await batchBody(failing(), never, undefined, { gzip: true, streams: true });
  await expect(async () => await bytesOf(await body.open())).rejects.toThrow(lost.message);
  expect(body.failure?.error).toBe(lost);
});

test.each([
  ['a text', '{"custom_id": "a"}\n', 'is made of an iterable'],
  ['one item', item(1), 'is made of an iterable'],
  ['lines of text', ['{"custom_id": "a"}\n'], 'Item 1 of the batch is a string'],
  ['nothing in between', [item(1), null], 'Item 2 of the batch is null'],
])('when a batch is made of %s then the error says what it is made of', async (_, source, message) => {
  await expect(batchBody(source as unknown as BatchSource, never, undefined, { gzip: true, streams: true })).rejects.toThrow(
    message,
  );
});
