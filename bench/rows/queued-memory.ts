import { Redis } from 'ioredis';
import { startAsked } from '../lib/children.ts';
import { chatJob, NOWHERE } from '../lib/job.ts';
import { startOurApi } from '../lib/ours.ts';
import { settledMemory, startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import type { LoadQuestion } from '../stand-ins/load.ts';

const JOBS = 20_000;
const WARM_UP_JOBS = 500;

/** Everything that Redis allocates for a job is in it: record, entry, indexes, its event and its share of the key table. */
export const queuedMemory: Row = {
  name: 'queued-memory',
  measures: [
    {
      what: `Redis memory of a queued job, 500-byte input, no idempotency key (${JOBS} jobs)`,
      against: '–',
      unit: 'KiB',
      aim: { is: 'at most', value: 2.8 },
      tolerance: 0.02,
    },
  ],
  rounds: 3,
  seconds: 45,
  async run({ rounds, say }) {
    await using stack = new AsyncDisposableStack();
    const load = startAsked<LoadQuestion>(new URL('../stand-ins/load.ts', import.meta.url));
    stack.defer(() => load.stop());
    const figures: number[] = [];
    let notes: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const { kib, parts } = await queueJobs(async (question) => await load.ask(question));
      figures.push(kib);
      notes = [`bytes by kind of key: ${parts}`];
      say(`round ${round}/${rounds}: ${kib.toFixed(2)} KiB`);
    }
    return [{ figures, notes }];
  },
};

async function queueJobs(send: (question: LoadQuestion) => Promise<unknown>): Promise<{ kib: number; parts: string }> {
  await using redis = await startOwnRedis();
  const api = await startOurApi(redis);
  const client = new Redis(redis.url);
  try {
    const question = {
      ...{ url: api.url, headers: api.headers, path: '/v1/jobs', connections: 64 },
      body: JSON.stringify(chatJob(NOWHERE)),
    };
    await send({ ...question, count: WARM_UP_JOBS });
    const before = await settledMemory(client);
    await send({ ...question, count: JOBS });
    const after = await settledMemory(client);
    return { kib: (after - before) / JOBS / 1024, parts: await partsOf(client, JOBS + WARM_UP_JOBS) };
  } finally {
    client.disconnect();
    await api.stop();
  }
}

/** Bytes for one job of each kind of key, by `MEMORY USAGE` of them all; what is missing to the figure is the key table. */
async function partsOf(client: Redis, jobs: number): Promise<string> {
  const sizes = new Map<string, number>();
  for await (const found of client.scanStream({ count: 1000 })) {
    const keys = found as string[];
    const usages = await Promise.all(keys.map((key) => client.memory('USAGE', key, 'SAMPLES', 0)));
    for (const [i, key] of keys.entries()) {
      const kind = key.replace(/job_[0-9A-Z]{26}/, '<id>');
      sizes.set(kind, (sizes.get(kind) ?? 0) + (usages[i] ?? 0));
    }
  }
  return [...sizes]
    .map(([kind, bytes]) => [kind, bytes / jobs] as const)
    .filter(([, bytes]) => bytes >= 1)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, bytes]) => `${kind} ${bytes.toFixed(0)}`)
    .join(' · ');
}
