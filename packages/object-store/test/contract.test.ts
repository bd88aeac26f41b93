import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { startS3 } from '@grsai-jobs/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createObjectStore, type ObjectStore, type ObjectStoreOptions } from '../src/index.ts';
import { breaking, collect, hanging, KIB, MIB, pieces, random, sha256 } from './bodies.ts';

/**
 * What every S3 store has to do. It runs against a server in this process, or against the store that the environment names:
 * TEST_S3_ENDPOINT, TEST_S3_BUCKET, TEST_S3_ACCESS_KEY, TEST_S3_SECRET_KEY, and if needed TEST_S3_REGION, TEST_S3_FORCE_PATH_STYLE
 * (default true), TEST_S3_CHECKSUMS (default both modes), TEST_S3_MULTIPART=corrupt for a store that is known to serve objects made of
 * several parts wrong: then each of those has to be found out. The bucket is made if it is missing; everything is put under a random prefix.
 */
interface Target {
  readonly options: Omit<ObjectStoreOptions, 'checksums'>;
  readonly emulated: boolean;
  stop(): Promise<void>;
}

async function findTarget(env: NodeJS.ProcessEnv): Promise<Target> {
  const prefix = `contract/${randomUUID()}`;
  const endpoint = env['TEST_S3_ENDPOINT'];
  if (endpoint === undefined) {
    const { bucket, credentials, endpoint: own, region, stop } = await startS3();
    return { options: { bucket, endpoint: own, region, credentials, prefix, forcePathStyle: true }, emulated: true, stop };
  }
  const credentials = {
    accessKeyId: env['TEST_S3_ACCESS_KEY'] ?? 'test',
    secretAccessKey: env['TEST_S3_SECRET_KEY'] ?? 'testsecret',
  };
  const options = {
    ...{ endpoint, credentials, prefix },
    bucket: env['TEST_S3_BUCKET'] ?? 'grsai-jobs-test',
    region: env['TEST_S3_REGION'] ?? 'us-east-1',
    forcePathStyle: env['TEST_S3_FORCE_PATH_STYLE'] !== 'false',
  };
  const client = new S3Client(options);
  await client
    .send(new HeadBucketCommand({ Bucket: options.bucket }))
    .catch(() => client.send(new CreateBucketCommand({ Bucket: options.bucket })));
  client.destroy();
  return { options, emulated: false, stop: async () => undefined };
}

const wanted = process.env['TEST_S3_CHECKSUMS'];
const MODES = (['when_required', 'when_supported'] as const).filter((mode) => wanted === undefined || wanted === mode);

let target: Target;
beforeAll(async () => {
  target = await findTarget(process.env);
});
afterAll(() => target.stop());

describe.each(MODES)('checksums %s', (checksums) => {
  let store: ObjectStore;
  const made = new Set<string>();
  const name = (): string => {
    const key = `acme/2031/01/01/job_1/${made.size}é +=&.bin`; // what URLs and signatures stumble over
    made.add(key);
    return key;
  };
  beforeAll(() => {
    store = createObjectStore({ ...target.options, checksums });
  });
  afterAll(async () => {
    await store.delete([...made]);
    store.close();
  });
  const read = async (key: string): Promise<Buffer> => collect((await store.get(key)).body);
  const absent = (key: string): Promise<void> => expect(store.get(key)).rejects.toMatchObject({ code: 'not_found' });
  const partialUploads = async (key: string): Promise<number> => {
    const client = new S3Client(target.options);
    try {
      const list = new ListMultipartUploadsCommand({ Bucket: target.options.bucket });
      return ((await client.send(list)).Uploads ?? []).filter((upload) => upload.Key === key).length;
    } finally {
      client.destroy();
    }
  };

  test.each([0, 1, 300 * KIB, 3 * MIB, 9 * MIB])('a body of %d bytes whose length is known arrives as it was', async (size) => {
    const key = name();
    const data = random(size);
    const stored = await store.put(key, pieces(data), { contentType: 'image/png', contentLength: size, maxBytes: size });
    expect(stored).toEqual({ bytes: size, sha256: sha256(data) });
    const got = await store.get(key);
    expect([got.contentType, got.bytes]).toEqual(['image/png', size]);
    expect(sha256(await collect(got.body))).toBe(stored.sha256);
  });

  test.each([0, 1, 300 * KIB, 5 * MIB, 6 * MIB, 12 * MIB])(
    'a body of %d bytes whose length is not known arrives too',
    async (size) => {
      const key = name();
      const data = random(size);
      if (size > 5 * MIB && process.env['TEST_S3_MULTIPART'] === 'corrupt') {
        await expect(store.put(key, pieces(data), { contentType: 'image/webp' })).rejects.toMatchObject({ code: 'corrupt' });
        return absent(key);
      }
      expect(await store.put(key, pieces(data), { contentType: 'image/webp' })).toEqual({ bytes: size, sha256: sha256(data) });
      expect(sha256(await read(key))).toBe(sha256(data));
    },
  );

  test('a body that is not the one whose digest is in its signature is refused', async () => {
    const key = name();
    const client = new S3Client(target.options);
    const command = new PutObjectCommand({ Bucket: target.options.bucket, Key: key, Body: Buffer.from('wrong') });
    const signed = { 'x-amz-content-sha256': sha256(Buffer.from('right')) };
    command.middlewareStack.add(
      (next) => (args) => {
        Object.assign((args.request as { headers: object }).headers, signed);
        return next(args);
      },
      { step: 'build' },
    );
    await expect(client.send(command)).rejects.toMatchObject({ $metadata: { httpStatusCode: expect.any(Number) } });
    client.destroy();
    await absent(key);
  });

  test('a document with scripts is saved by browsers, never shown, whichever way it came in', async () => {
    const [whole, parts, small] = [`${name()}.svg`, `${name()}.svg`, `${name()}.svg`] as const;
    for (const key of [whole, parts, small]) made.add(key);
    const options = { contentType: 'image/svg+xml' };
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
    await store.put(whole, pieces(svg), { ...options, contentLength: svg.length });
    await store.put(parts, pieces(svg), options);
    await store.putBytes(small, svg, options);
    const client = new S3Client(target.options);
    for (const key of [whole, parts, small]) {
      const head = await client.send(new HeadObjectCommand({ Bucket: target.options.bucket, Key: key }));
      expect(head.ContentDisposition).toBe('attachment');
      const { url: link } = await store.signedUrl(key, 60);
      expect(new URL(link).searchParams.get('response-content-disposition')).toBe('attachment');
      expect((await fetch(link)).headers.get('content-disposition')).toBe('attachment');
    }
    const picture = name();
    await store.putBytes(picture, svg, { contentType: 'image/png' });
    const head = await client.send(new HeadObjectCommand({ Bucket: target.options.bucket, Key: picture }));
    expect(head.ContentDisposition).toBeUndefined();
    expect(new URL((await store.signedUrl(picture, 60)).url).searchParams.has('response-content-disposition')).toBe(false);
    client.destroy();
  });

  test('sixteen uploads at once arrive', async () => {
    const uploads = Array.from({ length: 16 }, async (_, index) => {
      const key = name();
      const data = random(256 * KIB + index);
      await store.put(key, pieces(data), { contentType: 'image/png', contentLength: data.length });
      return sha256(await read(key)) === sha256(data);
    });
    expect(await Promise.all(uploads)).toEqual(Array(16).fill(true));
  });

  test('bytes in memory arrive, and replace what was there', async () => {
    const key = name();
    await store.putBytes(key, Buffer.from('old and longer'), { contentType: 'text/plain' });
    const stored = await store.putBytes(key, Buffer.from('{"a":1}'), { contentType: 'application/json' });
    expect(stored).toEqual({ bytes: 7, sha256: sha256(Buffer.from('{"a":1}')) });
    expect((await read(key)).toString()).toBe('{"a":1}');
  });

  test('a signed link works without credentials, one with another signature does not', async () => {
    const key = name();
    await store.putBytes(key, Buffer.from('hello'), { contentType: 'text/plain' });
    const { url: link } = await store.signedUrl(key, 60);
    const answer = await fetch(link);
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([200, 'text/plain', 'hello']);
    expect(new URL(link).searchParams.get('X-Amz-Expires')).toBe('60');
    if (target.emulated) return; // it checks no signatures
    const forged = await fetch(link.replace(/X-Amz-Signature=..../, 'X-Amz-Signature=0000'));
    await forged.body?.cancel();
    expect(forged.status).toBe(403);
  });

  test('a list names what begins with a prefix and nothing else', async () => {
    const folder = name();
    const keys = ['a', 'b é+', 'c/d'].map((each) => `${folder}/${each}.json`);
    for (const key of [...keys, `${folder}.json`]) {
      made.add(key);
      await store.putBytes(key, Buffer.from('x'), { contentType: 'text/plain' });
    }
    expect((await store.list(`${folder}/`)).sort()).toEqual(keys.sort());
    expect(await store.list('acme/nothing/here/')).toEqual([]);
  });

  test('what was deleted is gone; deleting it again, or what never was, is no error', async () => {
    const [one, two] = [name(), name()];
    await store.putBytes(one, Buffer.from('1'), { contentType: 'text/plain' });
    await store.putBytes(two, Buffer.from('2'), { contentType: 'text/plain' });
    await store.delete([one, two, 'never/was']);
    await store.delete([one]);
    await absent(one);
    await absent(two);
  });

  test('probe leaves nothing', async () => {
    await expect(store.probe()).resolves.toBeUndefined();
  });

  test.each([
    ['known', 1 * MIB, true],
    ['known, streamed', 5 * MIB, true],
    ['unknown, in one piece', 1 * MIB, false],
    ['unknown, in parts', 7 * MIB, false],
  ])('a body that breaks (length %s) is reported as its own fault and leaves nothing', async (_name, size, known) => {
    const key = name();
    const cause = new Error('socket hang up');
    const length = known ? { contentLength: size * 2 } : {};
    const put = store.put(key, breaking(random(size), cause), { contentType: 'image/png', ...length });
    await expect(put).rejects.toMatchObject({ code: 'source', retryable: true, cause });
    await absent(key);
    if (!target.emulated) expect(await partialUploads(key)).toBe(0);
  });

  test.each([
    ['known', 1 * MIB, true],
    ['known, streamed', 5 * MIB, true],
    ['unknown', 7 * MIB, false],
  ])('an abort while the body hangs (length %s) ends the upload and leaves nothing', async (_name, size, known) => {
    const key = name();
    const stop = new AbortController();
    const { body, reached } = hanging(random(size));
    const length = known ? { contentLength: size * 2 } : {};
    const put = store.put(key, body, { contentType: 'image/png', signal: stop.signal, ...length });
    void reached.then(() => stop.abort());
    await expect(put).rejects.toMatchObject({ code: 'aborted' });
    await absent(key);
    if (!target.emulated) expect(await partialUploads(key)).toBe(0);
  });

  test('a body that grows too large is cut and leaves nothing', async () => {
    const key = name();
    const put = store.put(key, pieces(random(7 * MIB)), { contentType: 'image/png', maxBytes: 6 * MIB });
    await expect(put).rejects.toMatchObject({ code: 'too_large', retryable: false });
    await absent(key);
    if (!target.emulated) expect(await partialUploads(key)).toBe(0);
  });

  test('a wrong secret, and a bucket that is not there, are refusals', async () => {
    const elsewhere = createObjectStore({ ...target.options, bucket: `no-such-${randomUUID()}`, checksums });
    const body = pieces(random(3 * MIB));
    await expect(elsewhere.put('k', body, { contentType: 'image/png', contentLength: 3 * MIB })).rejects.toMatchObject({
      code: 'denied',
    });
    await expect(elsewhere.probe()).rejects.toMatchObject({ code: 'denied', retryable: false });
    elsewhere.close();
    if (target.emulated) return; // it checks no signatures
    const { accessKeyId = '' } = typeof target.options.credentials === 'object' ? target.options.credentials : {};
    const credentials = { accessKeyId, secretAccessKey: 'wrong' };
    const stranger = createObjectStore({ ...target.options, credentials, checksums });
    for (const size of [100 * KIB, 3 * MIB]) {
      const put = stranger.put('k', pieces(random(size)), { contentType: 'image/png', contentLength: size });
      await expect(put).rejects.toMatchObject({ code: 'denied' });
    }
    stranger.close();
  });
});
