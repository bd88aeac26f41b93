import { Queue } from 'bullmq';
import type { BareWorkerQuestion } from '../bare/worker.ts';
import { type Asked, startAsked } from '../lib/children.ts';
import { chatJob } from '../lib/job.ts';
import { startOurApi, startOurWorker } from '../lib/ours.ts';
import { connectionTo, startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { runQueued } from '../lib/run-queued.ts';
import { alternate, type Sample } from '../lib/sample.ts';
import type { LoadQuestion } from '../stand-ins/load.ts';
import type { SinksQuestion, SinksUrls } from '../stand-ins/sinks.ts';

const JOBS = 10_000;
/** The defaults of our worker, given to the bare one as well. */
const CONCURRENCY = { call: 50, deliver: 50 };

/** Each round has a new Redis and a new worker on both sides: what is measured includes its warming up, on both. */
export const chatToWebhook: Row = {
  name: 'chat-to-webhook',
  measures: [
    {
      what: `${JOBS} queued chat jobs to delivered webhook, upstream and receiver at 0 ms, one worker`,
      against: 'two bare BullMQ queues, the same two undici POSTs, no record',
      unit: '',
      aim: { is: 'at least', value: 0.5 },
    },
  ],
  rounds: 4,
  seconds: 76,
  async run({ rounds, profileDir, say }) {
    await using stack = new AsyncDisposableStack();
    const load = startAsked<LoadQuestion>(new URL('../stand-ins/load.ts', import.meta.url));
    stack.defer(() => load.stop());
    const sinks = startAsked<SinksQuestion>(new URL('../stand-ins/sinks.ts', import.meta.url));
    stack.defer(() => sinks.stop());
    const urls = await sinks.ask<SinksUrls>({ ask: 'urls' });
    const sides = { ours: () => ours({ load, sinks, urls, profileDir }), bare: () => bare({ sinks, urls }) };
    return [await alternate(rounds, sides, say)];
  },
};

async function ours(o: {
  load: Asked<LoadQuestion>;
  sinks: Asked<SinksQuestion>;
  urls: SinksUrls;
  profileDir: string | undefined;
}): Promise<Sample> {
  await using redis = await startOwnRedis();
  const { url, headers, stop } = await startOurApi(redis);
  const body = JSON.stringify(chatJob(o.urls.receiver));
  await o.load.ask({ url, headers, path: '/v1/jobs', body, connections: 64, count: JOBS });
  await stop();
  return await runQueued(o.sinks, JOBS, redis.pid, async () =>
    startOurWorker(redis, { upstreamUrl: o.urls.upstream, profileDir: o.profileDir }),
  );
}

async function bare(o: { sinks: Asked<SinksQuestion>; urls: SinksUrls }): Promise<Sample> {
  await using redis = await startOwnRedis();
  const connection = connectionTo(redis);
  const queue = new Queue('call', { connection });
  const data = chatJob(o.urls.receiver);
  for (let queued = 0; queued < JOBS; queued += 1000)
    await queue.addBulk(Array.from({ length: 1000 }, () => ({ name: 'call', data, opts: { removeOnComplete: true } })));
  await queue.close();
  return await runQueued(o.sinks, JOBS, redis.pid, async () => {
    const worker = startAsked<BareWorkerQuestion>(new URL('../bare/worker.ts', import.meta.url));
    await worker.ask({ redis: connection, upstream: o.urls.upstream, concurrency: CONCURRENCY });
    return worker;
  });
}
