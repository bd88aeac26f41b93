import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { StreamedBody } from '@grsai-jobs/grsai';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import { systemTimers } from '@grsai-jobs/runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createInputObjects, type InputImages } from './input-objects.ts';

interface Body {
  readonly prompt: string;
  readonly images: readonly string[];
}

const reference = (key: string, bytes: number) => ({ $object: key, content_type: 'image/png', bytes });

/** A store of these objects that gives them away in chunks of `size`. */
function inputsOf(files: ReadonlyMap<string, Uint8Array>, how: InputImages = 'inline', size = 7) {
  return createInputObjects({
    timers: systemTimers,
    newToken: randomUUID,
    how,
    objects: {
      get: async (key) => {
        const bytes = files.get(key);
        if (bytes === undefined) throw new ObjectStoreError('not_found', key);
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
        return { body: Readable.from(chunks) };
      },
      signedUrl: async (key, ttlS) => ({ url: `https://s3.example/${key}?ttl=${ttlS}&sig="`, expiresAt: 0 }),
    },
  });
}

async function textOf({ chunks }: StreamedBody): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

test('whatever the pictures and the prompt, the streamed body is the JSON with data URLs, of the length that was announced', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 4 }),
      fc.string({ unit: 'binary' }),
      fc.integer({ min: 1, max: 9 }),
      async (pictures, prompt, size) => {
        const files = new Map(pictures.map((bytes, i) => [`k${i}`, bytes]));
        const images = ['https://a.example/1.png', ...pictures.map((bytes, i) => reference(`k${i}`, bytes.length))];
        const body = (await inputsOf(files, 'inline', size).into<Body>(
          { prompt, images },
          { replyType: 'async' },
        )) as StreamedBody;
        const text = await textOf(body);
        expect(Buffer.byteLength(text)).toBe(body.length);
        expect(JSON.parse(text)).toEqual({
          replyType: 'async',
          prompt: Buffer.from(prompt).toString(),
          images: [images[0], ...pictures.map((bytes) => `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`)],
        });
        // A second base gets the same body again.
        expect(await textOf(body)).toBe(text);
      },
    ),
    { numRuns: 40 },
  );
});

test('when no picture stands in the store then the body stays as it is, for the client to check', async () => {
  const body = { prompt: 'x', images: ['https://a.example/1.png'] };
  expect(await inputsOf(new Map()).into<Body>(body, { replyType: 'async' })).toBe(body);
});

test('when INPUT_IMAGES is link then each picture becomes a signed link', async () => {
  const body = await inputsOf(new Map(), 'link').into<Body>({ prompt: 'x', images: [reference('a/in-0.png', 9)] }, {});
  expect(body).toEqual({ prompt: 'x', images: ['https://s3.example/a/in-0.png?ttl=7200&sig="'] });
});

test('when a large picture is sent then it is read no further than upstream has taken it', async () => {
  const chunk = Buffer.alloc(64 * 1024, 1);
  let read = 0;
  async function* source() {
    for (; read < 1000; read += 1) yield chunk;
  }
  const store = {
    get: async () => ({ body: Readable.from(source(), { highWaterMark: 1 }) }),
    signedUrl: async () => ({ url: '', expiresAt: 0 }),
  };
  const inputs = createInputObjects({ objects: store, how: 'inline', timers: systemTimers, newToken: randomUUID });
  const picture = reference('k', 1000 * chunk.length);
  const body = (await inputs.into<Body>({ prompt: 'x', images: [picture] }, {})) as StreamedBody;
  let taken = 0;
  for await (const piece of body.chunks) {
    expect(piece.length).toBeLessThan(100_000);
    taken += 1;
    expect(read).toBeLessThan(taken + 4);
    if (taken === 50) break;
  }
  expect(read).toBeLessThan(55);
});

test('when the picture is gone from the store then the body fails with what the store said', async () => {
  const body = await inputsOf(new Map()).into<Body>({ prompt: 'x', images: [reference('k', 9)] }, {});
  await expect(textOf(body as StreamedBody)).rejects.toMatchObject({ code: 'not_found' });
});
