import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { payloadOf, Upload } from './body.ts';
import { GrsaiError } from './errors.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function* source(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield bytes(part);
}

async function sent(upload: Upload): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of upload) parts.push(part);
  return Buffer.concat(parts).toString();
}

test('a text is sent as its UTF-8 bytes, with their number as length', async () => {
  const payload = payloadOf('纸 lighthouse');
  expect(payload.length).toBe(Buffer.byteLength('纸 lighthouse'));
  expect(await sent(new Upload(payload, () => undefined))).toBe('纸 lighthouse');
});

test('an upload is complete only when its last chunk is handed over', async () => {
  const upload = new Upload(payloadOf({ length: 4, chunks: source('ab', 'cd') }), () => undefined);
  const seen: boolean[] = [upload.complete];
  for await (const _ of upload) seen.push(upload.complete);
  expect(seen).toEqual([false, false, true]);
});

test('progress is reported with each chunk', async () => {
  const told: boolean[] = [];
  await sent(new Upload(payloadOf({ length: 4, chunks: source('ab', '', 'cd') }), (complete) => told.push(complete)));
  expect(told).toEqual([false, true]);
});

test.each([
  ['too short', 5, ['ab', 'cd']],
  ['too long', 3, ['ab', 'cd']],
])('a source that is %s fails before the announced length is reached', async (_, length, parts) => {
  const upload = new Upload(payloadOf({ length, chunks: source(...parts) }), () => undefined);
  await expect(sent(upload)).rejects.toMatchObject({ code: 'body_failed', outcome: 'not_sent', retryable: true });
  expect(upload.complete).toBe(false);
});

test('a source that throws keeps its error as the cause', async () => {
  const cause = new Error('storage is away');
  const chunks = {
    async *[Symbol.asyncIterator]() {
      yield bytes('a');
      throw cause;
    },
  };
  const error: unknown = await sent(new Upload(payloadOf({ length: 2, chunks }), () => undefined)).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(GrsaiError);
  expect(error).toMatchObject({ code: 'body_failed', cause });
});

test('nothing is handed over once the upload is stopped', async () => {
  const upload = new Upload(payloadOf('abc'), () => undefined);
  upload.stop();
  expect(await sent(upload)).toBe('');
  expect(upload.complete).toBe(false);
});

test('a source that can begin only once is fresh until it has begun, any other always', async () => {
  for (const chunks of [source('ab'), Readable.from([bytes('ab')])]) {
    const once = payloadOf({ length: 2, chunks });
    expect(once.fresh()).toBe(true);
    await sent(new Upload(once, () => undefined));
    expect(once.fresh()).toBe(false);
  }
  const again = payloadOf({ length: 2, chunks: { [Symbol.asyncIterator]: () => source('ab') } });
  await sent(new Upload(again, () => undefined));
  expect(again.fresh()).toBe(true);
});
