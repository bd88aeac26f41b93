import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { Digest } from './digest.ts';
import { Feed, type FeedOptions } from './feed.ts';

async function* of(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}
async function through(body: AsyncIterable<Uint8Array>, options: FeedOptions) {
  const digest = new Digest();
  const feed = new Feed(body, digest, options);
  let passed = '';
  for await (const chunk of feed.chunks()) passed += chunk.toString();
  return { passed, code: feed.failure?.code, fired: feed.signal.aborted, failure: feed.failure, bytes: digest.bytes, feed };
}

describe('Feed', () => {
  test('a body within its limits passes as it is', async () => {
    expect(await through(of('ab', '', 'cd'), { contentLength: 4, maxBytes: 4 })).toMatchObject({
      ...{ passed: 'abcd', code: undefined, fired: false, bytes: 4 },
    });
    expect(await through(of(), { contentLength: 0 })).toMatchObject({ passed: '', code: undefined });
  });

  test.each([
    ['ends short', of('ab'), { contentLength: 3 }, 'source', 'ab'],
    ['goes on behind its length', of('ab', 'c'), { contentLength: 2 }, 'source', ''],
    ['runs over inside a chunk', of('abc'), { contentLength: 2 }, 'source', ''],
    ['is larger than allowed', of('ab', 'cd'), { maxBytes: 3 }, 'too_large', 'ab'],
    ['announces more than allowed', of('ab'), { contentLength: 9, maxBytes: 3 }, 'too_large', ''],
    ['is aborted before it begins', of('ab'), { signal: AbortSignal.abort() }, 'aborted', ''],
  ])('a body that %s', async (_name, body, options, code, passed) => {
    expect(await through(body, options)).toMatchObject({ code, passed, fired: true });
  });

  test('a body that throws: the signal has fired before the stream ends, the cause is kept', async () => {
    const cause = new Error('socket hang up');
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('ab');
      throw cause;
    }
    const { failure, passed, fired } = await through(broken(), {});
    expect({ passed, fired, code: failure?.code, cause: failure?.cause }).toEqual({
      passed: 'ab',
      fired: true,
      code: 'source',
      cause,
    });
    expect(failure?.message).toContain('after 2 bytes: socket hang up');
  });

  test('a body that throws behind its announced length does not get its last chunk through', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('ab');
      yield Buffer.from('cd');
      throw new Error('trailing');
    }
    expect(await through(broken(), { contentLength: 4 })).toMatchObject({ passed: 'ab', code: 'source' });
  });

  test('an abort ends a body that hangs, and destroys a stream', async () => {
    const stop = new AbortController();
    const hanging = new Readable({ read: () => undefined });
    const passing = through(hanging, { signal: stop.signal });
    stop.abort(new Error('shutdown'));
    const { feed, code, failure } = await passing;
    expect(code).toBe('aborted');
    expect(failure?.cause).toMatchObject({ message: 'shutdown' });
    feed.close();
    expect(hanging.destroyed).toBe(true);
  });

  test('close leaves nothing on the signal of the caller', async () => {
    const stop = new AbortController();
    const { feed } = await through(of('ab'), { signal: stop.signal });
    feed.close();
    stop.abort();
    expect(feed.failure).toBeUndefined();
  });
});
