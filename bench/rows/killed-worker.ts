import { setTimeout as sleep } from 'node:timers/promises';
import { type Asked, startAsked } from '../lib/children.ts';
import { chatJob } from '../lib/job.ts';
import { startOurApi, startReadyWorker } from '../lib/ours.ts';
import { startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import type { LoadQuestion } from '../stand-ins/load.ts';
import type { SinksCount, SinksQuestion, SinksUrls } from '../stand-ins/sinks.ts';

const JOBS = 50;
/** Of each worker: the jobs are of one tenant, which may have nine tenths of the slots of all workers. */
const SLOTS = { CALL_CONCURRENCY: String(2 * JOBS) };
/** The locks of entries are renewed twice in `QUEUE_LOCK_MS` (15 000): a kill may come at any time between. */
const RENEWED_MS = 7500;

/** The last of the jobs counts. A second worker lives; both have the defaults but for their slots. */
export const killedWorker: Row = {
  name: 'killed-worker',
  measures: [
    {
      what: `a killed worker's ${JOBS} synchronous chat calls are made again by another one, the last of them`,
      against: "BullMQ's defaults: 59 s",
      unit: 's',
      aim: { is: 'at most', value: 20 },
    },
  ],
  rounds: 3,
  seconds: 75,
  async run({ rounds, say }) {
    await using stack = new AsyncDisposableStack();
    const load = startAsked<LoadQuestion>(new URL('../stand-ins/load.ts', import.meta.url));
    stack.defer(() => load.stop());
    const sinks = startAsked<SinksQuestion>(new URL('../stand-ins/sinks.ts', import.meta.url));
    stack.defer(() => sinks.stop());
    const figures: number[] = [];
    const notes = [
      'killed at a random moment between two renewals of its locks; SIGKILL to the last call in seconds',
      `after it each of the ${JOBS} jobs ended with one webhook`,
    ];
    for (let round = 1; round <= rounds; round += 1) {
      const seconds = await killOne(load, sinks);
      figures.push(seconds);
      say(`round ${round}/${rounds}: ${seconds.toFixed(1)} s`);
    }
    return [{ figures, notes }];
  },
};

/** Seconds from the kill to the last second call. */
async function killOne(load: Asked<LoadQuestion>, sinks: Asked<SinksQuestion>): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startOwnRedis());
  const urls = await sinks.ask<SinksUrls>({ ask: 'urls' });
  await sinks.ask({ ask: 'expect', jobs: JOBS, hold: JOBS });
  const api = await startOurApi(redis);
  stack.defer(() => api.stop());
  const victim = await startReadyWorker(redis, { upstreamUrl: urls.upstream, env: SLOTS });
  stack.defer(() => victim.kill());
  const { url, headers } = api;
  await load.ask({ url, headers, path: '/v1/jobs', body: JSON.stringify(chatJob(urls.receiver)), connections: 8, count: JOBS });
  await sinks.ask({ ask: 'called', times: JOBS });
  const heir = await startReadyWorker(redis, { upstreamUrl: urls.upstream, env: SLOTS });
  stack.defer(() => heir.stop());

  await sleep(Math.random() * RENEWED_MS);
  await victim.kill();
  const killedAt = performance.now();
  await Promise.race([sinks.ask({ ask: 'called', times: 2 * JOBS }), heir.broken]);
  const seconds = (performance.now() - killedAt) / 1000;
  const { calls, webhooks } = await Promise.race([sinks.ask<SinksCount>({ ask: 'last' }), heir.broken]);
  if (calls !== 2 * JOBS || webhooks !== JOBS) throw new Error(`${JOBS} jobs made ${calls} calls and ${webhooks} webhooks`);
  return seconds;
}
