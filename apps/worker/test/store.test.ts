import { createServer } from 'node:http';
import { messageOf } from '@grsai-jobs/jobs';
import { createConsumer } from '@grsai-jobs/queue';
import { listen, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createLateResults } from '../src/maintenance/late-results.ts';
import { createUnstoredWatch } from '../src/pauses/unstored-watch.ts';
import { DATA_URL, type FileKind, PIXEL, startStoreHarness } from './store-harness.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const succeeded = (...results: unknown[]) => ({ id: '1-task', status: 'succeeded', results });

const DEAD: readonly [FileKind, string, RegExp][] = [
  ['404', 'http', /status 404/],
  ['410', 'http', /status 410/],
  ['403', 'http', /status 403/],
  ['401', 'http', /status 401/],
  ['html', 'not_media', /html/],
  ['json', 'not_media', /text/],
  ['huge', 'too_large', /67108864 bytes/],
];

test.each(DEAD)('when a result is dead (%s) then the job fails within a minute and says why', async (kind, code, why) => {
  const harness = await startStoreHarness();
  harness.files.set('/1', kind);
  harness.upstream.answer = succeeded({ url: `${harness.url}/1` });
  const job = await harness.storingJob([{ url: '/1' }]);
  const tookMs = await harness.run(job);
  expect(tookMs).toBeGreaterThanOrEqual(45_000);
  expect(tookMs).toBeLessThanOrEqual(MINUTE);
  const record = await job.read();
  expect(record).toMatchObject({
    status: 'failed',
    error: { code: 'upstream_result_lost', message: expect.stringMatching(why), retryable: true },
  });
  expect(record.attempts.at(-1)).toMatchObject({ stage: 'store', outcome: 'failed', error_code: code });
  expect(harness.fetched.get('/1')).toBeGreaterThanOrEqual(3);
  expect(harness.upstream.asked).toBeGreaterThan(0);
  expect(harness.storage.said).not.toContain('failed');
  expect(Number(await harness.redis.zscore('{gj}:late', job.id)) - harness.clock.now()).toBe(5 * MINUTE);
});

test.each<[FileKind, number]>([
  ['404', 4_000],
  ['html', 30_000],
  ['403', 44_000],
])('when a host that said %s recovers after %i ms then the result is stored', async (kind, afterMs) => {
  const harness = await startStoreHarness();
  harness.files.set('/1', kind);
  harness.upstream.answer = succeeded(`${harness.url}/1`);
  const job = await harness.storingJob([{ url: '/1' }]);
  await harness.run(job, HOUR, (ms) => {
    if (ms >= afterMs) harness.files.set('/1', 'good');
  });
  expect(await job.read()).toMatchObject({ status: 'succeeded', output: { images: [{ index: 0, bytes: PIXEL.length }] } });
});

test('when a file is packed without a word of it then it is stored as it was', async () => {
  const harness = await startStoreHarness();
  harness.files.set('/1', 'packed');
  const job = await harness.storingJob([{ url: '/1' }]);
  await harness.run(job);
  expect(await job.read()).toMatchObject({
    status: 'succeeded',
    output: { images: [{ content_type: 'image/png', bytes: PIXEL.length }] },
  });
});

test('when a file breaks off, which only its format shows, then it is fetched again, and kept where it stays so', async () => {
  const harness = await startStoreHarness();
  const stored = async (path: string, onWait?: () => void) => {
    harness.files.set(path, 'cut in silence');
    harness.upstream.answer = succeeded(`${harness.url}${path}`);
    const job = await harness.storingJob([{ url: path }]);
    await harness.run(job, HOUR, onWait);
    return await job.read();
  };
  expect(await stored('/1', () => harness.files.set('/1', 'good'))).toMatchObject({
    output: { images: [{ bytes: PIXEL.length }] },
    attempts: [{ error_code: 'truncated' }, { outcome: 'succeeded' }],
  });
  expect(await stored('/2')).toMatchObject({ status: 'succeeded', output: { images: [{ bytes: PIXEL.length - 12 }] } });
  expect(harness.fetched.get('/2')).toBe(4);
});

test.each<FileKind>(['503', '429', 'cut'])(
  'when a host has a passing trouble (%s) then it is tried for the life of the link',
  async (kind) => {
    const harness = await startStoreHarness();
    harness.wait.ms = 20_000;
    harness.files.set('/1', kind);
    harness.upstream.answer = succeeded(`${harness.url}/1`);
    const job = await harness.storingJob([{ url: '/1' }], { livesMs: 10 * MINUTE });
    await harness.run({ ...job }, 9 * MINUTE);
    expect((await job.read()).status).toBe('running');
    await harness.run(job);
    expect(await job.read()).toMatchObject({ status: 'failed', error: { code: 'upstream_result_lost' } });
    expect(harness.storage.said).toEqual([]);
  },
);

test('when a link is dead and the task names another then that one is stored', async () => {
  const harness = await startStoreHarness();
  harness.files.set('/new', 'good');
  harness.upstream.answer = succeeded({ url: `${harness.url}/new` });
  const job = await harness.storingJob([{ url: '/old' }]);
  expect(await harness.run(job)).toBeLessThan(10_000);
  expect(await job.read()).toMatchObject({ status: 'succeeded' });
});

test('when one of three outputs is dead then the others are stored once, and the job succeeds without it', async () => {
  const harness = await startStoreHarness();
  for (const path of ['/0', '/2']) harness.files.set(path, 'good');
  harness.upstream.answer = succeeded(...['/0', '/1', '/2'].map((path) => ({ url: harness.url + path })));
  const job = await harness.storingJob([{ url: '/0' }, { url: '/1' }, { url: '/2' }]);
  await harness.run(job);
  const record = await job.read();
  expect(record).toMatchObject({
    status: 'succeeded',
    output: { images: [{ index: 0 }, { index: 2 }], lost: [{ index: 1, reason: expect.stringContaining('404') }] },
  });
  expect([harness.fetched.get('/0'), harness.fetched.get('/2')]).toEqual([1, 1]);
  expect((await harness.s3.keys()).filter((key) => key.includes(job.id))).toHaveLength(2);
});

test('when one of two outputs has a passing trouble to the end then what is stored is the result', async () => {
  const harness = await startStoreHarness();
  harness.wait.ms = 30_000;
  harness.files.set('/0', 'good').set('/1', '503');
  harness.upstream.answer = succeeded(`${harness.url}/0`, `${harness.url}/1`);
  const job = await harness.storingJob([{ url: '/0' }, { url: '/1' }], { livesMs: 5 * MINUTE });
  await harness.run(job);
  expect(await job.read()).toMatchObject({
    status: 'succeeded',
    output: { images: [{ index: 0 }], lost: [{ index: 1, reason: expect.stringContaining('503') }] },
  });
  expect(harness.fetched.get('/0')).toBe(1);
});

test.each<[string, unknown]>([
  ['a data URL', { url: DATA_URL }],
  ['b64_json', { b64_json: PIXEL.toString('base64') }],
  ['bare base64', PIXEL.toString('base64')],
])('when an output stands in the answer of the task as %s then it is stored, and the record never has it', async (_, result) => {
  const harness = await startStoreHarness();
  harness.files.set('/1', 'good');
  harness.upstream.answer = succeeded(result, `${harness.url}/1`);
  const job = await harness.storingJob([{}, { url: '/1' }]);
  await harness.run(job);
  const record = await job.read();
  const image = { content_type: 'image/png', width: 1, height: 1, bytes: PIXEL.length };
  expect(record).toMatchObject({
    status: 'succeeded',
    output: {
      images: [
        { index: 0, ...image },
        { index: 1, ...image },
      ],
    },
  });
  expect(JSON.stringify(record)).not.toContain(PIXEL.toString('base64').slice(0, 40));
});

test('when S3 is away then it is our trouble: outputs are tried as long as they live, and one that is stored is not fetched again', async () => {
  const harness = await startStoreHarness();
  harness.files.set('/0', 'good').set('/1', 'good');
  const job = await harness.storingJob([{ url: '/0' }, { url: '/1' }]);
  harness.s3.outage('error', 3);
  const left = await harness.stage({ entry: { id: job.id, step: (await job.read()).step }, stalled: false });
  expect(left.kind).toBe('wait');
  expect(await job.read()).toMatchObject({ status: 'running', attempts: [{ outcome: 'retry', error_code: 'storage_failed' }] });
  expect(harness.storage.said).toEqual(['failed']);
  await harness.run(job);
  expect((await job.read()).status).toBe('succeeded');
});

test('when a job that lost its result is retried then all is tried anew, and a record of an older release is read', async () => {
  const harness = await startStoreHarness();
  harness.upstream.answer = succeeded(`${harness.url}/1`);
  const job = await harness.storingJob([{ url: '/1' }]);
  await harness.run(job);
  expect((await job.read()).unstored?.links).toMatchObject([{ refused: { times: expect.any(Number) } }]);
  await harness.store.transitions.commit(await job.read(), { kind: 'reopen', to: 'running/storing' });
  expect((await job.read()).unstored?.links).toEqual([{ url: `${harness.url}/1` }]);
  harness.files.set('/1', 'good');
  expect(await harness.run(job)).toBe(0);
  expect((await job.read()).status).toBe('succeeded');
});

test('late results: when a lost result can be had later then the job is reopened, and its file is not stored before', async () => {
  const harness = await startStoreHarness();
  harness.upstream.answer = succeeded(`${harness.url}/1`);
  const job = await harness.storingJob([{ url: '/1' }]);
  await harness.run(job);
  const ended = harness.clock.now();
  const late = createLateResults(harness);
  const polled: number[] = [];
  for (const minute of [4, 5, 15, 30, 60]) {
    await harness.clock.advance(ended + minute * MINUTE - harness.clock.now());
    const before = harness.fetched.get('/1');
    await late();
    if (harness.fetched.get('/1') !== before) polled.push(minute);
    expect((await job.read()).status).toBe('failed');
  }
  expect(polled).toEqual([5, 15, 30, 60]);
  harness.files.set('/1', 'good');
  await harness.clock.advance(40 * MINUTE);
  await late();
  const record = await job.read();
  expect(record).toMatchObject({ status: 'running', stage: 'storing', run: 2, late_result: true });
  expect(await harness.producer.stateOf('store', record)).toBe('there');
  await harness.run(job);
  expect(await job.read()).toMatchObject({ status: 'succeeded', late_result: true });
});

test('late results: when a lost result of a synchronous call, or one in an answer, comes back then it is taken; after 100 min it is forgotten', async () => {
  const harness = await startStoreHarness();
  harness.upstream.answer = { error: 'result not exist' };
  harness.upstream.status = 404;
  const [held, inline, gone] = [
    await harness.storingJob([{ url: '/held' }], { task: false }),
    await harness.storingJob([{}]),
    await harness.storingJob([{ url: '/gone' }], { task: false }),
  ];
  for (const job of [held, inline, gone]) await harness.run(job);
  const late = createLateResults(harness);
  await harness.clock.advance(8 * MINUTE);
  harness.files.set('/held', 'good');
  harness.upstream.answer = succeeded(DATA_URL);
  harness.upstream.status = 200;
  await late();
  for (const job of [held, inline]) {
    expect(await job.read()).toMatchObject({ status: 'running', stage: 'storing', late_result: true });
    await harness.run(job);
    expect((await job.read()).status).toBe('succeeded');
  }
  await harness.clock.advance(100 * MINUTE);
  await late();
  await late();
  expect(await harness.redis.zcard('{gj}:late')).toBe(0);
  expect((await gone.read()).status).toBe('failed');
});

test('late results: when a worker stops as it looks for a lost result the last time then another one looks for it', async () => {
  const harness = await startStoreHarness();
  const job = await harness.storingJob([{ url: '/1' }], { task: false });
  await harness.run(job);
  await harness.clock.advance(100 * MINUTE);
  harness.files.set('/1', 'hangs');
  const before = harness.fetched.get('/1') ?? 0;
  const stop = new AbortController();
  const stopped = createLateResults({ ...harness, shutdown: { ...harness.shutdown, stopping: stop.signal } })();
  await waitFor(() => harness.fetched.get('/1') === before + 1, { what: 'the look at the file' });
  stop.abort();
  await stopped;
  harness.files.set('/1', 'good');
  await harness.clock.advance(2 * MINUTE);
  await createLateResults(harness)();
  expect(await job.read()).toMatchObject({ status: 'running', stage: 'storing', run: 2, late_result: true });
});

test('storage: when many results wait for their own hosts for more than 10 min then nothing pauses, and one that waits for us does', async () => {
  const harness = await startStoreHarness();
  harness.wait.ms = 11 * MINUTE;
  const waits = createUnstoredWatch(harness);
  const jobs = await Promise.all(Array.from({ length: 12 }, (_, n) => harness.storingJob([{ url: `/busy${n}` }])));
  for (const [n, job] of jobs.entries()) {
    harness.files.set(`/busy${n}`, '503');
    await harness.stage({ entry: { id: job.id, step: (await job.read()).step }, stalled: false });
  }
  await harness.clock.advance(11 * MINUTE);
  expect(await waits()).toBe(false);
  harness.files.set('/ours', 'good');
  const ours = await harness.storingJob([{ url: '/ours' }]);
  harness.s3.outage('error', 3);
  await harness.stage({ entry: { id: ours.id, step: (await ours.read()).step }, stalled: false });
  await harness.clock.advance(11 * MINUTE);
  expect(await waits()).toBe(true);
});

test('storage: when a result has waited more than 10 min for its turn at its host then nothing pauses, and that is written once', async () => {
  const harness = await startStoreHarness({ hosts: { enter: async () => 5000 } });
  const job = await harness.storingJob([{ url: '/1' }]);
  await harness.run(job, 11 * MINUTE);
  expect(await createUnstoredWatch(harness)()).toBe(false);
  const { stage, attempts } = await job.read();
  expect([stage, attempts.map(({ error_code }) => error_code)]).toEqual(['storing', ['host_busy']]);
});

test('when one host hangs and another has dead files then the results of all others are stored at once, by a worker of 16 slots', async () => {
  const harness = await startStoreHarness();
  const hanging = { open: 0, most: 0 };
  const silent = await listen(
    createServer((request) => {
      hanging.open += 1;
      hanging.most = Math.max(hanging.most, hanging.open);
      request.on('close', () => {
        hanging.open -= 1;
      });
    }),
    onTestFinished,
  );
  const entries = async (count: number, url: (n: number) => string) => {
    const jobs = [];
    for (let n = 0; n < count; n += 1) {
      const job = await harness.storingJob([{ url: url(n) }]);
      jobs.push(job);
      await harness.producer.enqueue(messageOf(await job.read()));
    }
    return jobs;
  };
  await entries(20, (n) => `${silent}/${n}`);
  await entries(12, (n) => `/dead${n}`);
  for (let n = 0; n < 50; n += 1) harness.files.set(`/good${n}`, 'good');
  const good = await entries(50, (n) => `/good${n}`);
  const consumer = createConsumer('store', harness.stage, {
    redis: harness.redis,
    prefix: 'gj',
    concurrency: 16,
    lockMs: 15_000,
    stalledMs: 5000,
    onError: () => undefined,
    onThrow: async () => undefined,
  });
  onTestFinished(() => void consumer.stop());
  consumer.start();
  const stored = async () =>
    (await Promise.all(good.map(({ read }) => read()))).filter(({ status }) => status === 'succeeded').length;
  // A hanging download is given up after 20 s: all are stored while those that hang still do.
  await waitFor(async () => (await stored()) === 50, { what: '50 stored results' });
  expect(hanging.open).toBeGreaterThan(0);
  expect(hanging.most).toBeLessThanOrEqual(4);
  expect(await createUnstoredWatch(harness)()).toBe(false);
}, 60_000);
