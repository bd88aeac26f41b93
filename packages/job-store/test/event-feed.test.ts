import { waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { type FeedEvent, startEventFeed } from '../src/index.ts';
import { jobIn, type Started, startStore } from './harness.ts';

function startFeed(kit: Started) {
  const reader = new Redis(kit.proxy.url, { maxRetriesPerRequest: null, retryStrategy: () => 10 });
  // A question whose answer is lost fails, as in the API.
  const redis = new Redis(kit.proxy.url, {
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => 10,
  });
  for (const each of [reader, redis]) each.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  const feed = startEventFeed({ reader, redis, prefix: 'gj', onError: () => {} });
  onTestFinished(() => feed.stop());
  return feed;
}

const types = (events: readonly FeedEvent[]) =>
  events.map(({ seq, type, status, stage }) => [seq, type, status, stage].join(' '));

test('when a feed starts then it knows what the stream still holds, and each event names the state that it led to', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'failed');
  const feed = startFeed(kit);
  await feed.caughtUp();
  expect(types(feed.known(job.id))).toEqual([
    '1 job.queued queued ',
    '2 job.started running submitting',
    '3 job.generating running generating',
    '4 job.failed failed ',
  ]);
});

test('when the connection breaks then nothing is missed, and a watcher gets only events of its own job, until it leaves', async () => {
  const kit = await startStore();
  const feed = startFeed(kit);
  const [job, other] = [await jobIn(kit, 'queued'), await jobIn(kit, 'queued')];
  await feed.caughtUp();
  const received: FeedEvent[] = [];
  const leave = feed.watch(job.id, { event: (event) => received.push(event), missed: () => undefined, end: () => undefined });
  kit.proxy.dropAll();
  await kit.store.transitions.commit(await job.read(), { kind: 'cancel' });
  await kit.store.transitions.commit(await other.read(), { kind: 'cancel' });
  await waitFor(() => feed.known(other.id).length === 2);
  expect(types(received)).toEqual(['2 job.canceled canceled ']);
  leave();
  await kit.store.transitions.commit(await job.read(), { kind: 'reopen', to: 'queued' });
  await waitFor(() => feed.known(job.id).length === 3);
  expect(received).toHaveLength(1);
});

test('when the feed stops then whoever watches is told, and whoever comes after it too', async () => {
  const kit = await startStore();
  const feed = startFeed(kit);
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

test('when the stream was trimmed before it was read then whoever watches is told, and not when it was read in time', async () => {
  const kit = await startStore();
  const feed = startFeed(kit);
  const job = await jobIn(kit, 'queued');
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
    const pipeline = kit.redis.pipeline();
    for (let seq = 1; seq <= 1500; seq += 1)
      pipeline.xadd('{gj}:events', '*', 'j', 'job_other', 's', seq, 't', 'job.progress', 'p', 0, 'st', 'running', 'r', 1);
    await pipeline.exec();
  };
  await others();
  await waitFor(() => feed.known('job_other').length === 1500);
  expect(missed).toBe(0);

  kit.proxy.stall();
  await kit.redis.xadd('{gj}:events', '*', 'j', job.id, 's', 2, 't', 'job.canceled', 'p', 0, 'st', 'canceled', 'r', 1);
  await others();
  await kit.redis.xtrim('{gj}:events', 'MAXLEN', 1500);
  // The question whether it was is lost once.
  const cut = kit.proxy.cutBefore('xrange');
  kit.proxy.resume();
  await cut;
  await waitFor(() => missed === 1);
  expect(types(feed.known(job.id))).toEqual(['1 job.queued queued ']);
});
