import { waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { subscribe } from '../src/index.ts';
import { imageDoc, jobIn, newJobId, startStore, timers } from './harness.ts';

test('when a queue is changed then pause and concurrency stand together, are published, and other reasons are left alone', async () => {
  const { store, redis, clock } = await startStore();
  const receiver = redis.duplicate();
  const received: string[] = [];
  receiver.on('message', (_channel, message: string) => received.push(message));
  await receiver.subscribe('{gj}:settings');
  onTestFinished(() => receiver.disconnect());
  await store.pauses.add('submit', { reason: 'auth', since: 1, detail: 'key', state: 'paused' });
  await store.queueSettings.change('submit', { paused: 'a rest', concurrency: 3 });
  const pauses = async () => ((await store.pauses.all())['submit'] ?? []).sort((a, b) => (a.reason < b.reason ? -1 : 1));
  expect(await pauses()).toMatchObject([
    { reason: 'auth' },
    { reason: 'operator', detail: 'a rest', since: clock.now(), state: 'paused' },
  ]);
  expect(await store.queueSettings.concurrency()).toEqual({ submit: 3 });
  await store.queueSettings.change('submit', { paused: null });
  expect(await pauses()).toMatchObject([{ reason: 'auth' }]);
  expect(await store.queueSettings.concurrency()).toEqual({ submit: 3 });
  await store.queueSettings.change('submit', { concurrency: null });
  expect(await store.queueSettings.concurrency()).toEqual({});
  await waitFor(() => received.length === 3, { what: 'three messages' });
});

test('when upstream asks a queue to wait then that is a pause until its end: the later end and the first beginning stay', async () => {
  const { store, clock, redis } = await startStore();
  const begun = clock.now();
  const waits = (ms: number, detail = '429') =>
    store.pauses.addUntil('submit', {
      reason: 'upstream_rate_limit',
      since: clock.now(),
      detail,
      state: 'paused',
      until: clock.now() + ms,
    });
  const shown = async () => (await store.pauses.all())['submit'];
  expect(await waits(5000)).toBe(true);
  expect(await waits(3000, 'shorter')).toBe(false);
  expect(await shown()).toMatchObject([{ until: begun + 5000, detail: '429' }]);
  await clock.advance(2000);
  await redis.config('SET', 'maxmemory', '1mb');
  expect(await waits(9000, 'longer')).toBe(false);
  expect(await shown()).toMatchObject([{ since: begun, until: begun + 11_000, detail: 'longer' }]);
  await clock.advance(9000);
  expect(await shown()).toEqual([]);
  expect(await waits(1000)).toBe(true);
  expect(await shown()).toMatchObject([{ since: clock.now() }]);
});

test('when Redis is full then a queue is still paused and opened, for any reason, and a worker is still seen', async () => {
  const { store, redis, clock } = await startStore();
  await redis.config('SET', 'maxmemory', '1mb');
  await expect(redis.set('x', 'y')).rejects.toThrow(/OOM/);
  await store.queueSettings.change('submit', { paused: 'no room', concurrency: 2 });
  expect(await store.pauses.add('submit', { reason: 'storage', since: 1, detail: 'S3', state: 'paused' })).toBe(true);
  expect(await store.pauses.add('submit', { reason: 'storage', since: 2, detail: 'S3', state: 'paused' })).toBe(false);
  await store.pauses.put('submit', { reason: 'upstream', since: 3, detail: '', state: 'half' });
  const since = async () =>
    Object.fromEntries(((await store.pauses.all())['submit'] ?? []).map((pause) => [pause.reason, pause.since]));
  expect(await since()).toEqual({ operator: clock.now(), storage: 1, upstream: 3 });
  expect(await store.queueSettings.concurrency()).toEqual({ submit: 2 });
  await store.queueSettings.change('submit', { paused: null, concurrency: null });
  expect(await since()).toEqual({ storage: 1, upstream: 3 });
  expect(await store.queueSettings.concurrency()).toEqual({});
  await store.workers.announce({ id: 'a', host: 'h', pid: 1, version: '0.1.0', started_at: 1, queues: {} });
  expect((await store.workers.alive()).map(({ id }) => id)).toEqual(['a']);
});

test('when a worker speaks then it is alive, and when it leaves or falls silent it is not', async () => {
  const { store, redis } = await startStore();
  const info = { host: 'h', pid: 1, version: '0.1.0', started_at: 1, queues: {} };
  await store.workers.announce({ ...info, id: 'a' });
  await store.workers.announce({ ...info, id: 'b', started_at: 2 });
  expect((await store.workers.alive()).map(({ id }) => id)).toEqual(['a', 'b']);
  await store.workers.leave('a');
  expect((await store.workers.alive()).map(({ id }) => id)).toEqual(['b']);
  const silent = async (ms: number) =>
    await redis.hset('{gj}:workers', 'b', JSON.stringify({ ...info, id: 'b', seen_at: Date.now() - ms }));
  await silent(16_000);
  expect(await store.workers.alive()).toEqual([]);
  expect((await store.workers.alive(60_000)).map(({ id }) => id)).toEqual(['b']);
  await silent(11 * 60_000);
  await store.workers.announce({ ...info, id: 'c' });
  expect(await redis.hkeys('{gj}:workers')).toEqual(['c']);
});

test('when jobs come and go then the numbers say what stands, what came and ended, and where tasks live', async () => {
  const harness = await startStore();
  const { store, clock } = harness;
  await store.apiKeys.create({ tenant: 'acme', name: 'k', scopes: [], expiresAt: null, now: clock.now() });
  await jobIn(harness, 'queued');
  await jobIn(harness, 'submitting');
  await jobIn(harness, 'generating');
  await jobIn(harness, 'storing');
  const storingSince = clock.now();
  await clock.advance(120_000);
  await jobIn(harness, 'failed');
  await store.transitions.create({ id: newJobId(), tenant: 'acme', doc: imageDoc() });
  expect(await store.overview.standing()).toMatchObject({
    live: 5,
    queued: 2,
    in_flight: 1,
    storing: 1,
    oldest_unstored_at: storingSince,
    failed: 1,
    pending_deliveries: 1,
  });
  expect(await store.overview.ratesSince([clock.now() - 60_000, clock.now() - 3_600_000])).toEqual([
    { accepted: 2, ended: 1, failed: 1 },
    { accepted: 6, ended: 1, failed: 1 },
  ]);
  await jobIn(harness, 'submitting');
  expect((await store.overview.inFlightByBase()).sort((a, b) => (a.base ?? '').localeCompare(b.base ?? ''))).toEqual([
    { base: null, count: 1 },
    { base: 'http://b', count: 1 },
  ]);
});

test('when the connection is cut or falls silent then the subscriber says so, and receives again when it is back', async () => {
  const { store, proxy, clock } = await startStore();
  const redis = new Redis(proxy.url, { maxRetriesPerRequest: null, retryStrategy: () => 10 });
  redis.on('error', () => {});
  const seen: string[] = [];
  const subscriber = subscribe({
    timers,
    redis,
    prefix: 'gj',
    on: { revoked: (id) => seen.push(id) },
    onSubscribed: () => seen.push('subscribed'),
    onDisconnected: () => seen.push('disconnected'),
    onError: () => {},
    pingEveryMs: 50,
  });
  onTestFinished(async () => {
    await subscriber.stop();
    redis.disconnect();
  });
  const until = (what: string) => waitFor(() => seen.at(-1) === what, { what });
  await until('subscribed');
  proxy.dropAll();
  await waitFor(() => seen.includes('disconnected'), { what: 'disconnected' });
  await until('subscribed');
  const key = await store.apiKeys.create({ tenant: 'a', name: 'k', scopes: [], expiresAt: null, now: clock.now() });
  await store.apiKeys.remove(key.key_id);
  await until(key.key_id);
  proxy.stall();
  await until('disconnected');
  proxy.resume();
  await until('subscribed');
});

test('when keys are used then the list says when, and nothing is kept of a key that is gone', async () => {
  const { store, clock, redis } = await startStore();
  const make = async (name: string) =>
    await store.apiKeys.create({ tenant: 'a', name, scopes: ['jobs:read'], expiresAt: null, now: clock.now() });
  const [used, unused, gone] = [await make('used'), await make('unused'), await make('gone')];
  await store.apiKeys.remove(gone.key_id);
  await store.apiKeys.noteUses(new Map([used, gone].map(({ key_id }) => [key_id, 7000])));
  const lastUsed = new Map((await store.apiKeys.list()).map((key) => [key.key_id, key.last_used_at]));
  expect(lastUsed).toEqual(
    new Map([
      [used.key_id, 7000],
      [unused.key_id, null],
    ]),
  );
  await store.apiKeys.remove(used.key_id);
  expect(await redis.exists('{gj}:keys-used')).toBe(0);
});
