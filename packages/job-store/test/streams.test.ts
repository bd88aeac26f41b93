import { waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createStreamFeed, MOST_STREAM_BYTES, type StreamLine } from '../src/index.ts';
import { jobIn, newJobId, startStore } from './harness.ts';

const line = (more: Partial<StreamLine> = {}) => ({
  ...{ attempt: 2, writer: 'w', number: 1, first: 1, count: 1, whole: false, pieces: '["a"]' },
  ...more,
});
const running = { ended: false };
const key = (id: string) => `{gj}:job:${id}:stream`;

test('when pieces are appended then who comes back reads them in order, from a place on', async () => {
  const { store } = await startStore();
  const id = newJobId();
  expect(await store.streams.append(id, line({ pieces: '["|1 ü"]' }), running)).toBe('kept');
  expect(await store.streams.append(id, line({ first: 2, count: 3 }), running)).toBe('kept');
  expect(await store.streams.append(id, line({ first: 5, whole: true }), running)).toBe('kept');
  expect(await store.streams.read(id, 0, 10)).toEqual([
    { ...line({ pieces: '["|1 ü"]' }), at: 0 },
    { ...line({ first: 2, count: 3 }), at: 1 },
    { ...line({ first: 5, whole: true }), at: 2 },
  ]);
  expect((await store.streams.read(id, 1, 1)).map(({ first }) => first)).toEqual([2]);
});

test('when the answer to a write was lost and it comes again then its pieces are there once', async () => {
  const { store } = await startStore();
  const id = newJobId();
  await store.streams.append(id, line({ count: 2 }), running);
  expect(await store.streams.append(id, line({ count: 2 }), running)).toBe('known');
  expect(await store.streams.read(id, 0, 10)).toHaveLength(1);
});

test.each([
  ['a later attempt', { attempt: 3 }],
  ['another holder of the same number, after a failover,', { writer: 'x' }],
])('when %s begins then the pieces of the one before give way, and no more of them are taken', async (_, later) => {
  const { store } = await startStore();
  const id = newJobId();
  await store.streams.append(id, line(), running);
  expect(await store.streams.append(id, line({ ...later, number: 2 }), running)).toBe('kept');
  expect((await store.streams.read(id, 0, 10)).map(({ number }) => number)).toEqual([2]);
  if ('attempt' in later) expect(await store.streams.append(id, line({ first: 2 }), running)).toBe('stale');
});

test('when an answer is longer than is kept then no more of it is, and those who watch get all of it', async () => {
  const { store, redis } = await startStore();
  const id = newJobId();
  const pieces = JSON.stringify(['x'.repeat(MOST_STREAM_BYTES / 4 - 100)]);
  const outcomes: string[] = [];
  for (let n = 1; n <= 6; n += 1) outcomes.push(await store.streams.append(id, line({ first: n, pieces }), running));
  // What is behind a gap is not kept either.
  outcomes.push(await store.streams.append(id, line({ first: 7 }), running));
  expect(outcomes).toEqual(['kept', 'kept', 'kept', 'kept', 'published', 'published', 'published']);
  expect(await redis.memory('USAGE', key(id))).toBeLessThan(MOST_STREAM_BYTES * 1.3);
});

test('when an answer that is longer than is kept ends then what is kept of it goes as soon as of another', async () => {
  const { store, redis } = await startStore();
  const id = newJobId();
  await store.streams.append(id, line(), running);
  const end = line({ first: 2, whole: true, pieces: JSON.stringify(['x'.repeat(MOST_STREAM_BYTES)]) });
  expect(await store.streams.append(id, end, { ended: true })).toBe('published');
  expect(await redis.pttl(key(id))).toBeLessThanOrEqual(60_000);
});

test('when the beginning of an answer is gone then the rest of it is not kept', async () => {
  const { store, redis } = await startStore();
  const id = newJobId();
  await store.streams.append(id, line(), running);
  await redis.del(key(id));
  expect(await store.streams.append(id, line({ first: 2 }), running)).toBe('published');
  expect(await redis.exists(key(id))).toBe(0);
});

test('when nothing more comes then the pieces go after 5 min, and after 60 s when the job ends', async () => {
  const { store, redis } = await startStore();
  const id = newJobId();
  await store.streams.append(id, line(), running);
  expect(await redis.pttl(key(id))).toBeGreaterThan(299_000);
  await store.streams.append(id, line({ first: 2 }), { ended: true });
  expect(await redis.pttl(key(id))).toBeLessThanOrEqual(60_000);
});

test('when a job is erased then its stream is too', async () => {
  const harness = await startStore();
  const { store, redis } = harness;
  const job = await jobIn(harness, 'failed');
  await store.streams.append(job.id, line(), running);
  expect(await store.erase.asked(await job.read())).toBe(true);
  expect(await redis.exists(key(job.id))).toBe(0);
});

/** A feed over a connection through the proxy, and what its connection has asked of Redis. */
async function startFeed() {
  const harness = await startStore();
  const redis = new Redis(harness.proxy.url, { maxRetriesPerRequest: null, retryStrategy: () => 10 });
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  const feed = createStreamFeed({ redis, prefix: 'gj', onError: () => {} });
  const watch = (id: string) => {
    const seen = { firsts: [] as number[], missed: 0, stop: () => {} };
    seen.stop = feed.watch(id, { line: ({ first }) => seen.firsts.push(first), missed: () => (seen.missed += 1) });
    return seen;
  };
  return { ...harness, feed, watch };
}

test('when many watch one answer then each has all of it, by one subscription that ends with the last of them', async () => {
  const { store, redis, watch } = await startFeed();
  const [id, other] = [newJobId(), newJobId()];
  const watchers = Array.from({ length: 1000 }, () => watch(id));
  await waitFor(() => watchers.every(({ missed }) => missed > 0));
  const listening = async (job: string) => ((await redis.pubsub('NUMSUB', key(job))) as [string, number])[1];
  expect(await listening(id)).toBe(1);
  await store.streams.append(id, line(), running);
  await store.streams.append(other, line(), running);
  await store.streams.append(id, line({ first: 2 }), running);
  await waitFor(() => watchers.every(({ firsts }) => firsts.length === 2));
  for (const { stop } of watchers) stop();
  await waitFor(async () => (await listening(id)) === 0);
  const again = watch(id);
  await waitFor(() => again.missed > 0);
  await store.streams.append(id, line({ first: 3 }), running);
  await waitFor(() => again.firsts.length === 1);
});

test('when the connection breaks then who watches learns that lines may be missing, and has those after it', async () => {
  const { store, proxy, watch } = await startFeed();
  const id = newJobId();
  const watcher = watch(id);
  await waitFor(() => watcher.missed > 0);
  const { missed } = watcher;
  proxy.dropAll();
  await waitFor(() => watcher.missed > missed);
  await store.streams.append(id, line(), running);
  await waitFor(() => watcher.firsts.length === 1);
});
