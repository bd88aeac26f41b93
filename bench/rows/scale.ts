import { Redis } from 'ioredis';
import { type Asked, startAsked } from '../lib/children.ts';
import { cpuSince } from '../lib/cpu.ts';
import { chatJob } from '../lib/job.ts';
import { startOurApi, startReadyWorker } from '../lib/ours.ts';
import { startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import type { LoadQuestion } from '../stand-ins/load.ts';
import type { SinksCount, SinksQuestion, SinksUrls } from '../stand-ins/sinks.ts';

const JOBS = 4000;
const WARM_UP = 400;
const CONNECTIONS = 64;
const ENDPOINTS = 10;
const APIS = [1, 2];
const WORKERS = [1, 2, 4];
/** Of its one core Redis can be given so much before what waits for it waits long. */
const FULL = 0.8;

interface Seen {
  readonly apis: number;
  readonly workers: number;
  readonly perSecond: number;
  /** CPU of one job in ms, over all processes of a kind. */
  readonly api: number;
  readonly worker: number;
  readonly redis: number;
  /** Commands of one job, those within scripts among them, and scripts. */
  readonly commands: number;
  readonly scripts: number;
}

/**
 * Chats from their POST to their webhook, through so many APIs and workers over one Redis. Upstream and receivers answer at once, so the rate is bound by
 * the cores of this machine, which all of them share with what drives them: it is CPU for one job that says how far one Redis reaches.
 */
export const scale: Row = {
  name: 'scale',
  measures: [
    {
      what: `${JOBS} chats from POST to webhook, 1 API and 1 worker on one Redis: CPU of Redis for one`,
      against: '–',
      unit: 'ms',
    },
    { what: `the same, ${APIS.at(-1)} APIs and ${WORKERS.at(-1)} workers`, against: '–', unit: 'ms' },
    { what: `what ${FULL * 100} % of the core of that Redis are enough for, reckoned`, against: '–', unit: 'jobs/s' },
  ],
  rounds: 1,
  seconds: 100,
  async run({ rounds, say }) {
    await using stack = new AsyncDisposableStack();
    const sinks = startAsked<SinksQuestion>(new URL('../stand-ins/sinks.ts', import.meta.url));
    stack.defer(() => sinks.stop());
    const loads = APIS.map(() => startAsked<LoadQuestion>(new URL('../stand-ins/load.ts', import.meta.url)));
    for (const load of loads) stack.defer(() => load.stop());
    const all: Seen[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      for (const apis of APIS) {
        for (const workers of WORKERS) {
          const seen = await oneSize({ apis, workers, sinks, loads: loads.slice(0, apis) });
          all.push(seen);
          say(
            `round ${round}/${rounds}: ${apis} API, ${workers} workers: ${seen.perSecond.toFixed(0)}/s at ${seen.api.toFixed(2)} + ${seen.worker.toFixed(2)} + ${seen.redis.toFixed(2)} ms`,
          );
        }
      }
    }
    const redisOf = (apis: number, workers: number) =>
      all.filter((each) => each.apis === apis && each.workers === workers).map(({ redis }) => redis);
    const largest = redisOf(APIS.at(-1) ?? 0, WORKERS.at(-1) ?? 0);
    return [
      { figures: redisOf(1, 1), table: [HEAD, ...all.map(cellsOf)] },
      { figures: largest },
      { figures: largest.map((ms) => (FULL * 1000) / ms) },
    ];
  },
};

const HEAD = [
  'APIs',
  'workers',
  'jobs/s',
  'CPU of a job: APIs',
  'workers',
  'Redis',
  'Redis busy',
  'commands of a job',
  'of them scripts',
];

const cellsOf = ({ apis, workers, perSecond, api, worker, redis, commands, scripts }: Seen): string[] => [
  ...[apis, workers].map(String),
  perSecond.toFixed(0),
  ...[api, worker, redis].map((ms) => `${ms.toFixed(3)} ms`),
  `${((perSecond * redis) / 10).toFixed(0)} %`,
  commands.toFixed(1),
  scripts.toFixed(1),
];

async function oneSize(o: {
  apis: number;
  workers: number;
  sinks: Asked<SinksQuestion>;
  loads: readonly Asked<LoadQuestion>[];
}): Promise<Seen> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startOwnRedis());
  const client = new Redis(redis.url);
  stack.defer(() => client.disconnect());
  const { upstream: upstreamUrl } = await o.sinks.ask<SinksUrls>({ ask: 'urls' });
  const receivers = await o.sinks.ask<string[]>({ ask: 'receivers', count: ENDPOINTS });
  const body = receivers.map((receiver) => JSON.stringify(chatJob(`${receiver}/hooks`)));
  const apis = await Promise.all(Array.from({ length: o.apis }, () => startOurApi(redis)));
  for (const api of apis) stack.defer(() => api.stop());
  const workers = await Promise.all(Array.from({ length: o.workers }, () => startReadyWorker(redis, { upstreamUrl })));
  for (const worker of workers) stack.defer(() => worker.stop());
  const broken = [...apis, ...workers].map((each) => each.broken);

  const run = async (jobs: number): Promise<number> => {
    await o.sinks.ask({ ask: 'expect', jobs });
    const began = performance.now();
    const posts = apis.map(({ url, headers }, i) => {
      const share = { count: jobs / apis.length, connections: CONNECTIONS / apis.length };
      return o.loads[i]?.ask({ url, headers, path: '/v1/jobs', body, ...share });
    });
    await Promise.race([Promise.all(posts), ...broken]);
    await Promise.race([o.sinks.ask<SinksCount>({ ask: 'last' }), ...broken]);
    return (performance.now() - began) / 1000;
  };
  await run(WARM_UP);
  const before = await commandsOf(client);
  const used = [...apis, ...workers, redis].map(({ pid }) => cpuSince({ own: pid, driver: o.sinks.pid }));
  const seconds = await run(JOBS);
  const cpus = used.map((each) => each(JOBS).own);
  const after = await commandsOf(client);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    ...{ apis: o.apis, workers: o.workers, perSecond: JOBS / seconds },
    api: sum(cpus.slice(0, o.apis)),
    worker: sum(cpus.slice(o.apis, -1)),
    redis: cpus.at(-1) ?? Number.NaN,
    commands: (after.all - before.all) / JOBS,
    scripts: (after.scripts - before.scripts) / JOBS,
  };
}

/** Commands that Redis has carried out so far. */
async function commandsOf(client: Redis): Promise<{ all: number; scripts: number }> {
  const stats = [...(await client.info('commandstats')).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  const calls = (wanted: (name: string) => boolean) =>
    stats.filter(([, name = '']) => wanted(name)).reduce((sum, [, , count]) => sum + Number(count), 0);
  return { all: calls(() => true), scripts: calls((name) => /^(evalsha|eval|fcall)(_ro)?$/.test(name)) };
}
