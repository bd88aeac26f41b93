import { once } from 'node:events';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { listen, type S3Handle, startS3, waitFor } from '@grsai-jobs/testkit';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createObjectStore, type ObjectStore, type ObjectStoreOptions } from '../src/index.ts';
import { hanging, KIB, MIB, pieces, random, sha256 } from './bodies.ts';

let s3: S3Handle;
let store: ObjectStore;
beforeEach(async () => {
  s3 = await startS3();
  store = open();
});
afterEach(async () => {
  store.close();
  await s3.stop();
});

function open(more: Partial<ObjectStoreOptions> = {}): ObjectStore {
  const { bucket, endpoint, region, credentials } = s3;
  const options = {
    bucket,
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    prefix: 'p',
    checksums: 'when_required' as const,
  };
  const opened = createObjectStore({ ...options, ...more });
  onTestFinished(() => opened.close());
  return opened;
}
const asked = (method: string): number => s3.requests.filter((request) => request.method === method).length;
const PNG = { contentType: 'image/png' };
/** More than is held whole. */
const STREAMS = 9 * MIB;

describe('proof of what arrived', () => {
  test('when the answer has the digest nothing is read back', async () => {
    const data = random(STREAMS);
    await store.put('whole', pieces(data), { ...PNG, contentLength: data.length });
    await store.put('small, of unknown length', pieces(data.subarray(5 * MIB)), PNG);
    expect([asked('HEAD'), asked('GET')]).toEqual([0, 0]);
  });

  test('when it has none the object is read back', async () => {
    s3.digests(false);
    const data = random(STREAMS);
    const stored = { bytes: data.length, sha256: sha256(data) };
    expect(await store.put('whole', pieces(data), { ...PNG, contentLength: data.length })).toEqual(stored);
    expect([asked('HEAD'), asked('GET')]).toEqual([1, 1]);
  });

  test('when nobody else looks at the chunks of a body then their memory is gone, and the object is whole', async () => {
    const data = random(MIB);
    const chunks = Array.from({ length: 16 }, (_, n) => {
      const chunk = Buffer.allocUnsafeSlow(64 * KIB);
      chunk.set(data.subarray(n * chunk.length, (n + 1) * chunk.length));
      return chunk;
    });
    const put = (key: string, ownsChunks: boolean) =>
      store.put(key, Readable.from(chunks), { ...PNG, contentLength: data.length, ownsChunks });
    expect(await put('kept', false)).toEqual({ bytes: data.length, sha256: sha256(data) });
    expect(await put('taken', true)).toEqual({ bytes: data.length, sha256: sha256(data) });
    expect(chunks.map(({ length }) => length)).toEqual(chunks.map(() => 0));
    const { body } = await store.get('taken');
    expect(Buffer.concat((await body.toArray()) as Buffer[]).equals(data)).toBe(true);
  });

  test('when the digest of a body is in its signature then the answer needs none, and nothing is read back', async () => {
    s3.digests(false);
    const data = random(8 * MIB);
    const stored = { bytes: data.length, sha256: sha256(data) };
    expect(await store.put('held', pieces(data), { ...PNG, contentLength: data.length })).toEqual(stored);
    expect(await store.putBytes('bytes', data, PNG)).toEqual(stored);
    expect(s3.requests.map(({ method, headers }) => [method, headers['x-amz-content-sha256']])).toEqual([
      ['PUT', stored.sha256],
      ['PUT', stored.sha256],
    ]);
  });

  test('an upload in parts is read back: its ETag says nothing about the whole', async () => {
    const data = random(6 * MIB);
    expect(await store.put('parts', pieces(data), PNG)).toEqual({ bytes: data.length, sha256: sha256(data) });
    expect([asked('HEAD'), asked('GET')]).toEqual([1, 1]);
  });

  test('parts that are kept otherwise than they were sent are found out', async () => {
    s3.tamper((body) => Buffer.concat([body.subarray(1), Buffer.from('x')]), 'disk');
    await expect(store.put('k', pieces(random(6 * MIB)), PNG)).rejects.toMatchObject({ code: 'corrupt' });
    expect(await s3.keys()).toEqual([]);
  });

  test.each([
    ['one byte is another', (body: Buffer) => Buffer.concat([body.subarray(1), Buffer.from('x')])],
    ['bytes are missing', (body: Buffer) => body.subarray(1)],
  ])('when %s the put fails as corrupt and there is no object', async (_name, change) => {
    s3.tamper(change);
    for (const size of [100 * KIB, STREAMS]) {
      const put = store.put('k', pieces(Buffer.alloc(size, 'abc')), { ...PNG, contentLength: size });
      await expect(put).rejects.toMatchObject({ code: 'corrupt', retryable: true });
    }
    const data = Buffer.alloc(100 * KIB, 'abc');
    await expect(store.put('k', pieces(data), PNG)).rejects.toMatchObject({ code: 'corrupt' });
    await expect(store.putBytes('k', data, PNG)).rejects.toMatchObject({ code: 'corrupt' });
    expect(await s3.keys()).toEqual([]);
  });
});

describe('outages', () => {
  test.each(['error', 'refuse'] as const)('%s: unavailable, whatever is asked, and the body is let go', async (how) => {
    s3.outage(how);
    const body = Readable.from(pieces(random(3 * MIB)));
    const gone = { code: 'unavailable', retryable: true };
    await expect(store.put('k', body, { ...PNG, contentLength: 3 * MIB })).rejects.toMatchObject(gone);
    expect(body.destroyed).toBe(true);
    await expect(store.put('k', pieces(random(KIB)), PNG)).rejects.toMatchObject(gone);
    await expect(store.probe()).rejects.toMatchObject(gone);
    await expect(store.get('k')).rejects.toMatchObject(gone);
    await expect(store.delete(['a', 'b'])).rejects.toMatchObject(gone);
  });

  test('a store that is not there is unavailable', async () => {
    await s3.stop();
    await expect(store.put('k', pieces(random(KIB)), { ...PNG, contentLength: KIB })).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  test('a store that never answers is unavailable after the idle limit', async () => {
    s3.outage('hang');
    const impatient = open({ timeouts: { idle: 150 } });
    const body = pieces(random(KIB));
    await expect(impatient.put('k', body, { ...PNG, contentLength: KIB })).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('an object that trickles back is unavailable after a limit, though the connection is never idle', async () => {
    const trickling = createServer((request, response) => {
      request.resume().once('end', () => {
        response.writeHead(200, { etag: '"opaque"', ...(request.method === 'PUT' ? {} : { 'content-length': STREAMS }) });
        if (request.method !== 'GET') return void response.end();
        const drip = setInterval(() => response.write('.'), 10);
        response.once('close', () => clearInterval(drip));
      });
    });
    const impatient = open({ endpoint: await listen(trickling, onTestFinished), timeouts: { call: 200 } });
    const put = impatient.put('k', pieces(random(STREAMS)), { ...PNG, contentLength: STREAMS });
    await expect(put).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a store that says yes before it has the body is unavailable', async () => {
    const hasty = createServer((_request, response) => {
      response.writeHead(200, { etag: '"opaque"', 'content-length': 0 }).end();
    });
    const put = open({ endpoint: await listen(hasty, onTestFinished) }).put('k', pieces(random(STREAMS)), {
      ...PNG,
      contentLength: STREAMS,
    });
    await expect(put).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('one failed request is repeated for what is in memory and for a part, not for a stream', async () => {
    s3.outage('error', 1);
    await store.putBytes('bytes', random(KIB), PNG);
    s3.outage('error', 1);
    await store.put('held', pieces(random(KIB)), { ...PNG, contentLength: KIB });
    s3.outage('error', 1);
    await store.put('parts', pieces(random(6 * MIB)), PNG);
    s3.outage('error', 1);
    const put = store.put('whole', pieces(random(STREAMS)), { ...PNG, contentLength: STREAMS });
    await expect(put).rejects.toMatchObject({ code: 'unavailable' });
    expect(await s3.keys()).toEqual(['bytes', 'held', 'parts']);
  });

  test('an outage between two parts leaves no upload behind once the store answers again', async () => {
    const failing = store.put(
      'k',
      (async function* () {
        yield random(6 * MIB);
        await waitFor(() => asked('PUT') === 1);
        s3.outage('error', 3);
        yield random(6 * MIB);
      })(),
      PNG,
    );
    await expect(failing).rejects.toMatchObject({ code: 'unavailable' });
    expect(s3.openUploads()).toBe(0);
    expect(await s3.keys()).toEqual([]);
  });
});

describe('an upload that is cut', () => {
  test.each([
    ['held', { contentLength: 4 * MIB }, MIB],
    ['in one request', { contentLength: STREAMS }, MIB],
    ['in parts', {}, 7 * MIB],
  ])('%s: an abort leaves no object and no open upload', async (_name, length, size) => {
    const stop = new AbortController();
    const { body, reached } = hanging(random(size));
    const put = store.put('k', body, { ...PNG, ...length, signal: stop.signal });
    void reached.then(() => stop.abort());
    await expect(put).rejects.toMatchObject({ code: 'aborted' });
    expect(s3.openUploads()).toBe(0);
    expect(await s3.keys()).toEqual([]);
  });

  test('an abort while the upload is being begun removes what was begun', async () => {
    const stop = new AbortController();
    const put = store.put('k', pieces(random(7 * MIB)), { ...PNG, signal: stop.signal });
    await waitFor(() => asked('POST') === 1, { everyMs: 0 });
    stop.abort();
    await expect(put).rejects.toMatchObject({ code: 'aborted' });
    expect(s3.openUploads()).toBe(0);
  });

  test('an abort while a part is being sent does not wait for its answer', async () => {
    const stop = new AbortController();
    const put = store.put(
      'k',
      (async function* () {
        yield random(5 * MIB);
        yield random(MIB);
        await waitFor(() => asked('PUT') === 1);
        s3.outage('hang', 1);
        yield random(5 * MIB);
      })(),
      { ...PNG, signal: stop.signal },
    );
    void waitFor(() => asked('PUT') === 2, { everyMs: 1 }).then(() => stop.abort());
    await expect(put).rejects.toMatchObject({ code: 'aborted' });
    expect(s3.openUploads()).toBe(0);
  });

  test('a get can be aborted too', async () => {
    s3.outage('hang');
    const stop = new AbortController();
    const got = store.get('k', { signal: stop.signal });
    void waitFor(() => asked('GET') === 1).then(() => stop.abort());
    await expect(got).rejects.toMatchObject({ code: 'aborted' });
  });

  test('a put of bytes in memory can be aborted too', async () => {
    s3.outage('hang');
    const stop = new AbortController();
    const put = store.putBytes('k', random(KIB), { ...PNG, signal: stop.signal });
    void waitFor(() => asked('PUT') === 1).then(() => stop.abort());
    await expect(put).rejects.toMatchObject({ code: 'aborted' });
  });

  test('a store that hangs while an object is read back is unavailable, not aborted', async () => {
    s3.digests(false);
    s3.tamper((body) => {
      s3.outage('hang');
      return body;
    });
    const impatient = open({ timeouts: { call: 150 } });
    await expect(impatient.put('k', pieces(random(KIB)), PNG)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a signal that has fired already, or a length over the limit: nothing is asked, the body is let go', async () => {
    const bodies = [Readable.from(pieces(random(KIB))), Readable.from(pieces(random(KIB)))] as const;
    await expect(store.put('k', bodies[0], { ...PNG, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    const tooLong = { ...PNG, contentLength: 9, maxBytes: 8 };
    await expect(store.put('k', bodies[1], tooLong)).rejects.toMatchObject({ code: 'too_large' });
    expect(s3.requests).toEqual([]);
    expect(bodies.map((body) => body.destroyed)).toEqual([true, true]);
  });

  test.each(['when_required', 'when_supported'] as const)(
    '%s: a stream that fails is no uncaught exception',
    async (checksums) => {
      const cause = new Error('reset by peer');
      const body = new Readable({ read: () => undefined });
      body.push(random(KIB));
      const put = open({ checksums }).put('k', body, { ...PNG, contentLength: STREAMS });
      await waitFor(() => asked('PUT') === 1);
      body.destroy(cause);
      await expect(put).rejects.toMatchObject({ code: 'source', cause });
      expect(await s3.keys()).toEqual([]);
    },
  );
});

test('when bodies that hang hold all the memory then the next one streams, and when they are let go then one is held again', async () => {
  const few = open({ timeouts: { room: 1 } });
  const stop = new AbortController();
  const hung = Array.from({ length: 8 }, (_, n) => {
    const { body } = hanging(random(KIB));
    return few.put(`hung ${n}`, body, { ...PNG, contentLength: 8 * MIB, signal: stop.signal });
  });
  const gone = Promise.all(hung.map((put) => expect(put).rejects.toMatchObject({ code: 'aborted' })));
  const put = async (key: string) => {
    const stored = await few.put(key, pieces(random(KIB)), { ...PNG, contentLength: KIB });
    return s3.requests.at(-1)?.headers['x-amz-content-sha256'] === stored.sha256;
  };
  expect(await put('streamed')).toBe(false);
  stop.abort();
  await gone;
  expect(await put('held')).toBe(true);
  expect(await s3.keys()).toEqual(['held', 'streamed']);
});

describe('the wire', () => {
  test.each(['when_required', 'when_supported'] as const)(
    'when bytes in memory are put (%s) then they are hashed once, with room for others between two pieces',
    async (checksums) => {
      const data = random(MIB);
      let turns = 0;
      const next = async () => {
        turns += 1;
      };
      await open({ checksums }).putBytes('k', data, { ...PNG, slices: { over: () => true, next } });
      const { headers } = s3.requests.find(({ method }) => method === 'PUT') ?? {};
      expect(headers).toMatchObject({ 'x-amz-content-sha256': sha256(data) });
      expect(headers?.['x-amz-checksum-sha256']).toBe(
        checksums === 'when_required' ? undefined : Buffer.from(sha256(data), 'hex').toString('base64'),
      );
      expect(turns).toBe(4);
    },
  );

  test('when_required: no checksum headers, no aws-chunked, an unsigned payload with its length', async () => {
    await store.put('k', pieces(random(STREAMS)), { ...PNG, contentLength: STREAMS });
    const { headers } = s3.requests[0] ?? {};
    expect(headers).toMatchObject({ 'content-length': String(STREAMS), 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' });
    expect(Object.keys(headers ?? {}).filter((name) => /checksum|trailer|content-encoding|transfer/.test(name))).toEqual([]);
  });

  test('when_supported: the SHA-256 goes along as a trailer, and its return is the proof', async () => {
    s3.tamper((body) => body); // the ETag would do as well: see that the digest is there
    await open({ checksums: 'when_supported' }).put('k', pieces(random(STREAMS)), { ...PNG, contentLength: STREAMS });
    expect(s3.requests[0]?.headers).toMatchObject({
      'x-amz-trailer': 'x-amz-checksum-sha256',
      'content-encoding': 'aws-chunked',
    });
  });

  test('when callers reach the store at another address then links carry it and are good, and requests of ours do not go there', async () => {
    const callers = s3.endpoint.replace('127.0.0.1', 'localhost');
    const both = open({ publicEndpoint: callers });
    await both.putBytes('here', Buffer.from('bytes'), { contentType: 'text/plain' });
    expect(s3.requests.map(({ headers }) => headers['host'])).toEqual([new URL(s3.endpoint).host]);
    const { url: link } = await both.signedUrl('here', 60);
    expect(link).toContain(`${callers}/`);
    expect(await (await fetch(link)).text()).toBe('bytes');
  });

  test('the probe reports the write although its removal fails', async () => {
    let written = false;
    const probe = store.probe(() => {
      written = true;
      s3.outage('denied');
    });
    await expect(probe).rejects.toMatchObject({ code: 'denied' });
    expect(written).toBe(true);
    await expect(store.probe(() => expect.fail('nothing was written'))).rejects.toMatchObject({ code: 'denied' });
  });

  test('the probe writes below the prefix, links are bounded to a week', async () => {
    await open({ prefix: 'x/y/' }).probe();
    expect(s3.requests.filter(({ method }) => method === 'PUT').map(({ path }) => path)).toEqual([
      expect.stringContaining('/x/y/.probe/'),
    ]);
    const expires = async (ttl: number) => new URL((await store.signedUrl('a', ttl)).url).searchParams.get('X-Amz-Expires');
    expect([await expires(1e9), await expires(0), await expires(90.7)]).toEqual(['604800', '1', '90']);
  });
});

test.each(['when_required', 'when_supported'] as const)(
  '%s: a body is taken no faster than the store takes it',
  async (checksums) => {
    const size = 64 * MIB;
    const sink = createServer((request, response) => {
      request.on('end', () => response.writeHead(500).end());
    });
    sink.listen(0, '127.0.0.1');
    await once(sink, 'listening');
    onTestFinished(() => {
      sink.closeAllConnections();
      sink.close();
    });
    const address = sink.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const slow = open({ endpoint: `http://127.0.0.1:${port}`, checksums });
    const incoming = once(sink, 'request');
    let taken = 0;
    const block = random(64 * KIB);
    const put = slow.put(
      'k',
      (async function* () {
        for (; taken < size; taken += block.length) yield block;
      })(),
      { ...PNG, contentLength: size },
    );
    const refused = expect(put).rejects.toMatchObject({ code: 'unavailable' });
    const [request] = await incoming;
    let before = -1;
    const still = (): boolean => {
      const same = taken > 0 && taken === before;
      before = taken;
      return same;
    };
    await waitFor(still, { everyMs: 100, what: 'the body to stand still' });
    expect(taken).toBeLessThan(size / 2); // what the sockets hold; the rest has not been asked for
    request.resume();
    await refused;
    expect(taken).toBe(size);
  },
);
