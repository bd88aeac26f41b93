import { createServer } from 'node:http';
import { messageOf } from '@grsai-jobs/jobs';
import { createConsumer } from '@grsai-jobs/queue';
import { listen, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createLateResults } from '../src/maintenance/late-results.ts';
import { createUnstoredWatch } from '../src/pauses/unstored.ts';
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
  const kit = await startStoreHarness();
  kit.files.set('/1', kind);
  kit.upstream.answer = succeeded({ url: `${kit.url}/1` });
  const job = await kit.storingJob([{ url: '/1' }]);
  const tookMs = await kit.run(job);
  expect(tookMs).toBeGreaterThanOrEqual(45_000);
  expect(tookMs).toBeLessThanOrEqual(MINUTE);
  const record = await job.read();
  expect(record).toMatchObject({
    status: 'failed',
    error: { code: 'upstream_result_lost', message: expect.stringMatching(why), retryable: true },
  });
  expect(record.attempts.at(-1)).toMatchObject({ stage: 'store', outcome: 'failed', error_code: code });
  expect(kit.fetched.get('/1')).toBeGreaterThanOrEqual(3);
  expect(kit.upstream.asked).toBeGreaterThan(0);
  expect(kit.storage.said).not.toContain('failed');
  expect(Number(await kit.redis.zscore('{gj}:late', job.id)) - kit.clock.now()).toBe(5 * MINUTE);
});

test.each<[FileKind, number]>([
  ['404', 4_000],
  ['html', 30_000],
  ['403', 44_000],
])('when a host that said %s recovers after %i ms then the result is stored', async (kind, afterMs) => {
  const kit = await startStoreHarness();
  kit.files.set('/1', kind);
  kit.upstream.answer = succeeded(`${kit.url}/1`);
  const job = await kit.storingJob([{ url: '/1' }]);
  await kit.run(job, HOUR, (ms) => {
    if (ms >= afterMs) kit.files.set('/1', 'good');
  });
  expect(await job.read()).toMatchObject({ status: 'succeeded', output: { images: [{ index: 0, bytes: PIXEL.length }] } });
});

test.each<FileKind>(['503', '429', 'cut'])(
  'when a host has a passing trouble (%s) then it is tried for the life of the link',
  async (kind) => {
    const kit = await startStoreHarness();
    kit.wait.ms = 20_000;
    kit.files.set('/1', kind);
    kit.upstream.answer = succeeded(`${kit.url}/1`);
    const job = await kit.storingJob([{ url: '/1' }], { livesMs: 10 * MINUTE });
    await kit.run({ ...job }, 9 * MINUTE);
    expect((await job.read()).status).toBe('running');
    await kit.run(job);
    expect(await job.read()).toMatchObject({ status: 'failed', error: { code: 'upstream_result_lost' } });
    expect(kit.storage.said).toEqual([]);
  },
);

test('when a link is dead and the task names another then that one is stored', async () => {
  const kit = await startStoreHarness();
  kit.files.set('/new', 'good');
  kit.upstream.answer = succeeded({ url: `${kit.url}/new` });
  const job = await kit.storingJob([{ url: '/old' }]);
  expect(await kit.run(job)).toBeLessThan(10_000);
  expect(await job.read()).toMatchObject({ status: 'succeeded' });
});

test('when one of three outputs is dead then the others are stored once, and the job succeeds without it', async () => {
  const kit = await startStoreHarness();
  for (const path of ['/0', '/2']) kit.files.set(path, 'good');
  kit.upstream.answer = succeeded(...['/0', '/1', '/2'].map((path) => ({ url: kit.url + path })));
  const job = await kit.storingJob([{ url: '/0' }, { url: '/1' }, { url: '/2' }]);
  await kit.run(job);
  const record = await job.read();
  expect(record).toMatchObject({
    status: 'succeeded',
    output: { images: [{ index: 0 }, { index: 2 }], lost: [{ index: 1, reason: expect.stringContaining('404') }] },
  });
  expect([kit.fetched.get('/0'), kit.fetched.get('/2')]).toEqual([1, 1]);
  expect((await kit.s3.keys()).filter((key) => key.includes(job.id))).toHaveLength(2);
});

test('when one of two outputs has a passing trouble to the end then what is stored is the result', async () => {
  const kit = await startStoreHarness();
  kit.wait.ms = 30_000;
  kit.files.set('/0', 'good').set('/1', '503');
  kit.upstream.answer = succeeded(`${kit.url}/0`, `${kit.url}/1`);
  const job = await kit.storingJob([{ url: '/0' }, { url: '/1' }], { livesMs: 5 * MINUTE });
  await kit.run(job);
  expect(await job.read()).toMatchObject({
    status: 'succeeded',
    output: { images: [{ index: 0 }], lost: [{ index: 1, reason: expect.stringContaining('503') }] },
  });
  expect(kit.fetched.get('/0')).toBe(1);
});

test.each<[string, unknown]>([
  ['a data URL', { url: DATA_URL }],
  ['b64_json', { b64_json: PIXEL.toString('base64') }],
  ['bare base64', PIXEL.toString('base64')],
])('when an output stands in the answer of the task as %s then it is stored, and the record never has it', async (_, result) => {
  const kit = await startStoreHarness();
  kit.files.set('/1', 'good');
  kit.upstream.answer = succeeded(result, `${kit.url}/1`);
  const job = await kit.storingJob([{}, { url: '/1' }]);
  await kit.run(job);
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
  const kit = await startStoreHarness();
  kit.files.set('/0', 'good').set('/1', 'good');
  const job = await kit.storingJob([{ url: '/0' }, { url: '/1' }]);
  kit.s3.outage('error', 3);
  const left = await kit.stage({ entry: { id: job.id, step: (await job.read()).step }, stalled: false });
  expect(left.kind).toBe('wait');
  expect(await job.read()).toMatchObject({ status: 'running', attempts: [{ outcome: 'retry', error_code: 'storage_failed' }] });
  expect(kit.storage.said).toEqual(['failed']);
  await kit.run(job);
  expect((await job.read()).status).toBe('succeeded');
});

test('when a job that lost its result is retried then all is tried anew, and a record of an older release is read', async () => {
  const kit = await startStoreHarness();
  kit.upstream.answer = succeeded(`${kit.url}/1`);
  const job = await kit.storingJob([{ url: '/1' }]);
  await kit.run(job);
  expect((await job.read()).unstored?.links).toMatchObject([{ refused: { times: expect.any(Number) } }]);
  await kit.store.transitions.commit(await job.read(), { kind: 'reopen', to: 'running/storing' });
  expect((await job.read()).unstored?.links).toEqual([{ url: `${kit.url}/1` }]);
  kit.files.set('/1', 'good');
  expect(await kit.run(job)).toBe(0);
  expect((await job.read()).status).toBe('succeeded');
});

test('late results: when a lost result can be had later then the job is reopened, and its file is not stored before', async () => {
  const kit = await startStoreHarness();
  kit.upstream.answer = succeeded(`${kit.url}/1`);
  const job = await kit.storingJob([{ url: '/1' }]);
  await kit.run(job);
  const ended = kit.clock.now();
  const late = createLateResults(kit);
  const polled: number[] = [];
  for (const minute of [4, 5, 15, 30, 60]) {
    await kit.clock.advance(ended + minute * MINUTE - kit.clock.now());
    const before = kit.fetched.get('/1');
    await late();
    if (kit.fetched.get('/1') !== before) polled.push(minute);
    expect((await job.read()).status).toBe('failed');
  }
  expect(polled).toEqual([5, 15, 30, 60]);
  kit.files.set('/1', 'good');
  await kit.clock.advance(40 * MINUTE);
  await late();
  const record = await job.read();
  expect(record).toMatchObject({ status: 'running', stage: 'storing', run: 2, late_result: true });
  expect(await kit.producer.stateOf('store', record)).toBe('there');
  await kit.run(job);
  expect(await job.read()).toMatchObject({ status: 'succeeded', late_result: true });
});

test('late results: when a lost result of a synchronous call, or one in an answer, comes back then it is taken; after 100 min it is forgotten', async () => {
  const kit = await startStoreHarness();
  kit.upstream.answer = { error: 'result not exist' };
  kit.upstream.status = 404;
  const [held, inline, gone] = [
    await kit.storingJob([{ url: '/held' }], { task: false }),
    await kit.storingJob([{}]),
    await kit.storingJob([{ url: '/gone' }], { task: false }),
  ];
  for (const job of [held, inline, gone]) await kit.run(job);
  const late = createLateResults(kit);
  await kit.clock.advance(8 * MINUTE);
  kit.files.set('/held', 'good');
  kit.upstream.answer = succeeded(DATA_URL);
  kit.upstream.status = 200;
  await late();
  for (const job of [held, inline]) {
    expect(await job.read()).toMatchObject({ status: 'running', stage: 'storing', late_result: true });
    await kit.run(job);
    expect((await job.read()).status).toBe('succeeded');
  }
  await kit.clock.advance(100 * MINUTE);
  await late();
  await late();
  expect(await kit.redis.zcard('{gj}:late')).toBe(0);
  expect((await gone.read()).status).toBe('failed');
});

test('storage: when many results wait for their own hosts for more than 10 min then nothing pauses, and one that waits for us does', async () => {
  const kit = await startStoreHarness();
  kit.wait.ms = 11 * MINUTE;
  const waits = createUnstoredWatch(kit);
  const jobs = await Promise.all(Array.from({ length: 12 }, (_, n) => kit.storingJob([{ url: `/busy${n}` }])));
  for (const [n, job] of jobs.entries()) {
    kit.files.set(`/busy${n}`, '503');
    await kit.stage({ entry: { id: job.id, step: (await job.read()).step }, stalled: false });
  }
  await kit.clock.advance(11 * MINUTE);
  expect(await waits()).toBe(false);
  kit.files.set('/ours', 'good');
  const ours = await kit.storingJob([{ url: '/ours' }]);
  kit.s3.outage('error', 3);
  await kit.stage({ entry: { id: ours.id, step: (await ours.read()).step }, stalled: false });
  await kit.clock.advance(11 * MINUTE);
  expect(await waits()).toBe(true);
});

test('when one host hangs and another has dead files then the results of all others are stored at once, by a worker of 16 slots', async () => {
  const kit = await startStoreHarness();
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
      const job = await kit.storingJob([{ url: url(n) }]);
      jobs.push(job);
      await kit.producer.enqueue(messageOf(await job.read()));
    }
    return jobs;
  };
  await entries(20, (n) => `${silent}/${n}`);
  await entries(12, (n) => `/dead${n}`);
  for (let n = 0; n < 50; n += 1) kit.files.set(`/good${n}`, 'good');
  const good = await entries(50, (n) => `/good${n}`);
  const consumer = createConsumer('store', kit.stage, {
    redis: kit.redis,
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
  await waitFor(async () => (await stored()) === 50, { what: '50 stored results', timeoutMs: 15_000 });
  expect(hanging.open).toBeGreaterThan(0);
  expect(hanging.most).toBeLessThanOrEqual(4);
  expect(await createUnstoredWatch(kit)()).toBe(false);
}, 60_000);
