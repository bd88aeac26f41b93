import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { answering, client, deadUrl, drain, errorOf, serve } from './support.ts';

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(100_000, 7)]);
const JPEG = Buffer.concat([Buffer.from('\xff\xd8\xff\xe0', 'latin1'), Buffer.alloc(5000, 7)]);

const filed = (bytes: Buffer, headers: Record<string, string | number> = {}) =>
  serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'image/png', 'content-length': bytes.length, ...headers });
    res.end(bytes);
  });

describe('a result file', () => {
  test('comes whole, without the key being shown to its host', async () => {
    await using server = await filed(PNG);
    await using grsai = client([await deadUrl()]);
    const file = await grsai.images.download(`${server.url}/file/a.png?x=1`);
    expect(file).toMatchObject({ contentType: 'image/png', length: PNG.length });
    expect(Buffer.concat(await drain(file.chunks)).equals(PNG)).toBe(true);
    expect(server.requests[0]).toMatchObject({ method: 'GET', url: '/file/a.png?x=1' });
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('is what its bytes say, whatever name and header say', async () => {
    await using server = await filed(JPEG);
    await using grsai = client([server.url]);
    expect((await grsai.images.download(`${server.url}/file/a.png`)).contentType).toBe('image/jpeg');
  });

  test.each([404, 403, 410, 429, 500, 503, 302])('that answers HTTP %i is worth another download', async (status) => {
    await using server = await serve(answering(status, '<html></html>', { 'retry-after': '1', location: '/elsewhere' }));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.download(`${server.url}/a`))).toMatchObject({
      retryable: true,
      status,
      retryAfterMs: 1000,
    });
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ['a page', '<html>gone</html>'],
    ['nothing', ''],
    ['JSON', '{"error":"gone"}'],
  ])('that is %s in truth is no file', async (_, text) => {
    await using server = await filed(Buffer.from(text));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.download(`${server.url}/a.png`))).toMatchObject({
      code: 'unreadable_answer',
      retryable: true,
    });
  });

  test('that breaks off throws while it is read', async () => {
    await using server = await serve((_req, res) => {
      res.writeHead(200, { 'content-length': PNG.length });
      res.write(PNG.subarray(0, 50_000), () => res.destroy());
    });
    await using grsai = client([server.url]);
    const file = await grsai.images.download(`${server.url}/a.png`);
    expect(await errorOf(drain(file.chunks))).toMatchObject({ code: 'connection_lost', retryable: true });
  });

  test('that does not begin, or stands still, meets its limit', async () => {
    await using silent = await serve(() => undefined);
    await using stuck = await serve((_req, res) => res.write(PNG.subarray(0, 50)));
    await using grsai = client([silent.url], { downloadFirstByteMs: 40 });
    await using patient = client([stuck.url], { downloadIdleMs: 60 });
    const late = { code: 'timeout', retryable: true };
    expect(await errorOf(grsai.images.download(`${silent.url}/a.png`))).toMatchObject({
      ...late,
      message: expect.stringContaining('40 ms'),
    });
    const file = await patient.images.download(`${stuck.url}/a.png`);
    expect(await errorOf(drain(file.chunks))).toMatchObject({ ...late, message: expect.stringContaining('60 ms') });
  });

  test('that is read slowly does not meet the limit on silence', async () => {
    await using server = await filed(PNG);
    await using grsai = client([server.url], { downloadIdleMs: 40 });
    const file = await grsai.images.download(`${server.url}/a.png`);
    let length = 0;
    for await (const chunk of file.chunks) {
      length += chunk.length;
      await wait(60);
    }
    expect(length).toBe(PNG.length);
  });

  test('that is left unread lets its connection go', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    await using server = await serve((_req, res) => {
      closed = once(res, 'close');
      res.write(PNG);
    });
    await using grsai = client([server.url]);
    const file = await grsai.images.download(`${server.url}/a.png`);
    for await (const _ of file.chunks) break;
    await closed;
  });

  test.each(['', 'file.png', 'ftp://a.example/x.png', 'data:image/png;base64,aGk='])('has no link in %j', async (url) => {
    await using grsai = client([await deadUrl()]);
    expect(await errorOf(grsai.images.download(url))).toMatchObject({ code: 'invalid_request', outcome: 'not_sent' });
  });
});
