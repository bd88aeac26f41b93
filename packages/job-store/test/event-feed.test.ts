import type { Primary } from '@grsai-jobs/redis';
import { waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { type FeedEvent, startEventFeed } from '../src/index.ts';
import { jobIn, type Started, startStore, timers } from './harness.ts';

function startFeed(
  harness: Started,
  { inARow, ...own }: Partial<typeof timers> & { inARow?: number } = {},
  primary?: Pick<Primary, 'onChange'>,
) {
  const reader = new Redis(harness.proxy.url, { maxRetriesPerRequest: null, retryStrategy: () => 10 });
  // A question whose answer is lost fails, as in the API.
  const redis = new Redis(harness.proxy.url, {
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => 10,
  });
  for (const each of [reader, redis]) each.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  const feed = startEventFeed({
    reader,
    redis,
    prefix: 'gj',
    onError: () => {},
    timers: { ...timers, ...own },
    ...(inARow === undefined ? {} : { inARow }),
    ...(primary ? { primary } : {}),
  });
  onTestFinished(() => feed.stop());
  return feed;
}

const types = (events: readonly FeedEvent[]) =>
  events.map(({ seq, type, status, stage }) => [seq, type, status, stage].join(' '));

test('when a feed starts then it knows what the stream still holds, and each event names the state that it led to', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'failed');
  const feed = startFeed(harness);
  await feed.caughtUp();
  expect(types(feed.known(job.id))).toEqual([
    '1 job.queued queued ',
    '2 job.started running submitting',
    '3 job.generating running generating',
    '4 job.failed failed ',
  ]);
});

test('when events come one right behind another then some readings wait for nothing, those behind them do, and a pause makes up for it', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'queued');
  let now = 0;
  const waits: number[] = [];
  const feed = startFeed(harness, {
    inARow: 3,
    elapsed: () => now,
    sleep: async (ms) => {
      waits.push(ms);
      now += ms;
    },
  });
  await feed.caughtUp();
  onTestFinished(feed.watch('another', { event: () => undefined, missed: () => undefined, end: () => undefined }));
  let seq = 1;
  /** How long each of so many readings has waited. */
  const read = async (count: number): Promise<number[]> => {
    waits.length = 0;
    const each: number[] = [];
    for (let n = 0; n < count; n += 1) {
      seq += 1;
      await harness.redis.xadd(
        '{gj}:events',
        '*',
        ...['j', job.id, 's', seq, 't', 'job.progress', 'p', 0, 'st', 'running', 'r', 1],
      );
      await waitFor(() => feed.known(job.id).at(-1)?.seq === seq);
      each.push(waits.splice(0).reduce((sum, ms) => sum + ms, 0));
    }
    return each;
  };
  now += 1000;
  expect(await read(6)).toEqual([0, 0, 0, 5, 5, 5]);
  now += 10;
  expect(await read(4)).toEqual([0, 0, 5, 5]);
  now += 1000;
  expect(await read(4)).toEqual([0, 0, 0, 5]);
});

test('when nobody watches then the stream is not read for each event, and whoever watches or asks for the end of it has it at once', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'queued');
  const pauses: number[] = [];
  const after = (ms: number, run: () => void) => {
    if (ms > 500) return timers.after(ms, run);
    pauses.push(ms);
    return () => undefined;
  };
  const feed = startFeed(harness, { after });
  let seq = 1;
  const add = async (): Promise<void> => {
    seq += 1;
    const fields = ['j', job.id, 's', seq, 't', 'job.progress', 'p', 0, 'st', 'running', 'r', 1];
    await harness.redis.xadd('{gj}:events', '*', ...fields);
  };
  const last = () => feed.known(job.id).at(-1)?.seq;
  await waitFor(() => pauses.length === 1);
  for (let n = 0; n < 10; n += 1) await add();
  expect(last()).toBe(1);
  await feed.caughtUp();
  expect(last()).toBe(11);
  await waitFor(() => pauses.length === 2);
  await add();
  expect(last()).toBe(11);
  const { promise, resolve } = Promise.withResolvers<FeedEvent>();
  const leave = feed.watch(job.id, { event: resolve, missed: () => undefined, end: () => undefined });
  expect((await promise).seq).toBe(12);
  leave();
});

test('when the connection breaks then nothing is missed, and a watcher gets only events of its own job, until it leaves', async () => {
  const harness = await startStore();
  const feed = startFeed(harness);
  const [job, other] = [await jobIn(harness, 'queued'), await jobIn(harness, 'queued')];
  await feed.caughtUp();
  const received: FeedEvent[] = [];
  const leave = feed.watch(job.id, { event: (event) => received.push(event), missed: () => undefined, end: () => undefined });
  harness.proxy.dropAll();
  await harness.store.transitions.commit(await job.read(), { kind: 'cancel' });
  await harness.store.transitions.commit(await other.read(), { kind: 'cancel' });
  await waitFor(() => feed.known(other.id).length === 2);
  expect(types(received)).toEqual(['2 job.canceled canceled ']);
  leave();
  await harness.store.transitions.commit(await job.read(), { kind: 'reopen', to: 'queued' });
  await waitFor(() => feed.known(job.id).length === 3);
  expect(received).toHaveLength(1);
});

test('when the feed stops then whoever watches is notified, and whoever comes after it too', async () => {
  const harness = await startStore();
  const feed = startFeed(harness);
  let ends = 0;
  const watcher = {
    event: () => undefined,
    missed: () => undefined,
    end: () => {
      ends += 1;
    },
  };
  feed.watch('job_A', watcher);
  await feed.stop();
  expect(ends).toBe(1);
  feed.watch('job_A', watcher);
  expect(ends).toBe(2);
});

test('when the stream was trimmed before it was read then whoever watches is notified, and not when it was read in time', async () => {
  const harness = await startStore();
  let untilNextReading = Promise.resolve();
  const feed = startFeed(harness, { inARow: 0, elapsed: () => 0, sleep: () => untilNextReading });
  const job = await jobIn(harness, 'queued');
  await feed.caughtUp();
  let missed = 0;
  const watcher = {
    event: () => undefined,
    missed: () => {
      missed += 1;
    },
    end: () => undefined,
  };
  feed.watch(job.id, watcher);

  /** More events of another job than are read at once. */
  const others = async () => {
    const pipeline = harness.redis.multi();
    for (let seq = 1; seq <= 1500; seq += 1)
      pipeline.xadd('{gj}:events', '*', 'j', 'job_other', 's', seq, 't', 'job.progress', 'p', 0, 'st', 'running', 'r', 1);
    await pipeline.exec();
  };
  const reads = Promise.withResolvers<void>();
  untilNextReading = reads.promise;
  await others();
  await waitFor(() => feed.known('job_other').length === 1500);
  expect(missed).toBe(0);

  await harness.redis.xadd('{gj}:events', '*', 'j', job.id, 's', 2, 't', 'job.canceled', 'p', 0, 'st', 'canceled', 'r', 1);
  await others();
  await harness.redis.xtrim('{gj}:events', 'MAXLEN', 1500);
  // The question whether it was is lost once.
  const cut = harness.proxy.cutBefore('xrange');
  reads.resolve();
  await cut;
  await waitFor(() => missed === 1);
  expect(types(feed.known(job.id))).toEqual(['1 job.queued queued ']);
});

test('when another primary has forgotten events and its clock is behind then watchers read anew, and what happens there comes', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'submitting');
  const listeners: ((now: string, before: string) => void)[] = [];
  const feed = startFeed(harness, {}, { onChange: (listener) => void listeners.push(listener) });
  await feed.caughtUp();
  const seen: string[] = [];
  feed.watch(job.id, { event: ({ type }) => seen.push(type), missed: () => seen.push('missed'), end: () => undefined });
  // Its newest line is older than what was read.
  await harness.redis.del('{gj}:events');
  await harness.redis.xadd(
    '{gj}:events',
    '1-1',
    'j',
    'job_other',
    's',
    '1',
    't',
    'job.queued',
    'p',
    '0',
    'st',
    'queued',
    'sg',
    '',
    'r',
    '1',
  );
  for (const changed of listeners) changed('second', 'first');
  expect([seen, feed.known(job.id)]).toEqual([['missed'], []]);
  await harness.redis.xadd(
    '{gj}:events',
    '2-1',
    'j',
    job.id,
    's',
    '3',
    't',
    'job.generating',
    'p',
    '0',
    'st',
    'running',
    'sg',
    'generating',
    'r',
    '1',
  );
  await waitFor(() => seen.filter((each) => each === 'missed').length === 2);
  await harness.redis.xadd(
    '{gj}:events',
    '3-1',
    'j',
    job.id,
    's',
    '4',
    't',
    'job.failed',
    'p',
    '0',
    'st',
    'failed',
    'sg',
    '',
    'r',
    '1',
  );
  await waitFor(() => seen.at(-1) === 'job.failed');
});
