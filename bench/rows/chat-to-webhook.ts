import { Queue } from 'bullmq';
import type { BareWorkerQuestion } from '../bare/worker.ts';
import { type Asked, type Child, startAsked } from '../lib/children.ts';
import { cpuSince } from '../lib/cpu.ts';
import { chatJob } from '../lib/job.ts';
import { startOurApi, startOurWorker } from '../lib/ours.ts';
import { connectionTo, startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { alternate, type Sample } from '../lib/sample.ts';
import type { LoadQuestion } from '../stand-ins/load.ts';
import type { SinksCount, SinksQuestion, SinksUrls } from '../stand-ins/sinks.ts';

const JOBS = 10_000;
/** A chat call may be made again when its worker was silent for longer than a lock, as happens on a busy machine. */
const REPEATED = JOBS / 100;
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
  rounds: 5,
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

/** From the start of the worker to the last webhook. */
async function finish(sinks: Asked<SinksQuestion>, redisPid: number, startWorker: () => Promise<Child>): Promise<Sample> {
  await sinks.ask({ ask: 'expect', jobs: JOBS });
  const worker = await startWorker();
  await Promise.race([sinks.ask({ ask: 'called', times: 1 }), worker.broken]);
  const used = cpuSince({ own: worker.pid, redis: redisPid, driver: sinks.pid });
  const count = await Promise.race([sinks.ask<SinksCount>({ ask: 'last' }), worker.broken]);
  const cpu = used(JOBS);
  await worker.stop();
  if (count.calls < JOBS || count.calls > JOBS + REPEATED || count.webhooks !== JOBS)
    throw new Error(`${JOBS} jobs made ${count.calls} calls and ${count.webhooks} webhooks`);
  return { perSecond: JOBS / count.seconds, cpu };
}

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
  return await finish(o.sinks, redis.pid, async () =>
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
  return await finish(o.sinks, redis.pid, async () => {
    const worker = startAsked<BareWorkerQuestion>(new URL('../bare/worker.ts', import.meta.url));
    await worker.ask({ redis: connection, upstream: o.urls.upstream, concurrency: CONCURRENCY });
    return worker;
  });
}
