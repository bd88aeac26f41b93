import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type S3Handle, startS3 } from '../src/s3.ts';

let s3: S3Handle;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.stop());

const object = (key: string) => `${s3.endpoint}/${s3.bucket}/${key}`;
const put = (key: string, body: string) => fetch(object(key), { method: 'PUT', body });

test('an object that was put can be read and listed', async () => {
  expect((await put('a/b.txt', 'hello')).status).toBe(200);
  expect(await (await fetch(object('a/b.txt'))).text()).toBe('hello');
  expect(await s3.keys()).toContain('a/b.txt');
  expect(s3.requests).toMatchObject([
    { method: 'PUT', path: `/${s3.bucket}/a/b.txt`, status: 200 },
    { method: 'GET', status: 200 },
  ]);
});

test('it listens on this machine only', () => {
  expect(new URL(s3.endpoint).hostname).toBe('127.0.0.1');
});

test('in an outage it answers 503 or breaks the connection, and afterwards works', async () => {
  s3.outage(true);
  expect((await put('x', '1')).status).toBe(503);
  s3.outage('refuse');
  await expect(put('x', '1')).rejects.toThrow();
  s3.outage(true, 1);
  expect([(await put('x', '1')).status, (await put('x', '1')).status]).toEqual([503, 200]);
  s3.outage('refuse');
  s3.outage(false);
  expect((await put('x', '1')).status).toBe(200);
});

test('a tampered upload is kept as the change made it', async () => {
  s3.tamper((body) => body.subarray(1));
  await put('t', 'hello');
  s3.tamper(undefined);
  expect(await (await fetch(object('t'))).text()).toBe('ello');
});

test('when a body is not the one that its signature names then it is refused, unless it was changed behind that check', async () => {
  const sha256 = createHash('sha256').update('hello').digest('hex');
  const signed = (key: string) =>
    fetch(object(key), { method: 'PUT', body: 'hello', headers: { 'x-amz-content-sha256': sha256 } });
  expect((await signed('s')).status).toBe(200);
  s3.tamper((body) => body.subarray(1));
  const refused = await signed('s');
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('XAmzContentSHA256Mismatch')]);
  s3.tamper((body) => body.subarray(1), 'disk');
  expect((await signed('s')).status).toBe(200);
  s3.tamper(undefined);
  expect(await (await fetch(object('s'))).text()).toBe('ello');
});

test('an upload in parts counts as open until it is completed or aborted', async () => {
  const begun = await fetch(`${object('m')}?uploads`, { method: 'POST' });
  const id = /<UploadId>(.*?)</.exec(await begun.text())?.[1];
  expect(s3.openUploads()).toBe(1);
  await fetch(`${object('m')}?uploadId=${id}`, { method: 'DELETE' });
  expect(s3.openUploads()).toBe(0);
});

test('the variables name the same server', () => {
  expect(s3.env).toMatchObject({ S3_ENDPOINT: s3.endpoint, S3_BUCKET: s3.bucket, AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId });
});

test('when there are more objects than an S3 server lists at once then all their keys are known', async () => {
  await using s3 = await startS3();
  const names = Array.from({ length: 1003 }, (_, n) => `n${String(n).padStart(4, '0')}`);
  for (let at = 0; at < names.length; at += 50)
    await Promise.all(
      names.slice(at, at + 50).map((name) => fetch(`${s3.endpoint}/${s3.bucket}/${name}`, { method: 'PUT', body: name })),
    );
  expect(await s3.keys()).toEqual(names);
});
