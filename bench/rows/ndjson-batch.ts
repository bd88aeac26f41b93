import { createJobStore } from '@grsai-jobs/job-store';
import { waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import type { BulkQuestion } from '../bare/bulk.ts';
import { type Asked, startAsked } from '../lib/children.ts';
import { cpuSince } from '../lib/cpu.ts';
import { peakSince } from '../lib/memory.ts';
import { startOurApi } from '../lib/ours.ts';
import { connectionTo, settledMemory, startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { alternate, median, type Sample } from '../lib/sample.ts';
import type { BatchLoadQuestion } from '../stand-ins/batch-load.ts';

const LINES = 50_000;
/** Both sides have added so many before they are measured. */
const WARM_UP = 1000;
/** So many of a room have a queue entry at a time. */
const SEATS = 100;
const ALL_MAY_RUN_MS = 60_000;

const what = `NDJSON batch of ${LINES} lines`;
const against = 'bare addBulk in thousands';

interface BatchSample extends Sample {
  readonly allMayRunSeconds: number;
  readonly apiMemory: number;
  /** In Redis, of one line. */
  readonly lineKib: number;
}

/**
 * Each round has new processes and a new Redis on both sides. The API reads and writes the lines; from the 202 on each stands where a worker
 * lets it in. There is none, so that nothing else is done.
 */
export const ndjsonBatch: Row = {
  name: 'ndjson-batch',
  measures: [
    { what: `${what}, to the 202`, against, unit: '', aim: { is: 'at least', value: 1.5 } },
    { what: 'the same, to "every job may run"', against, unit: '', aim: { is: 'at least', value: 1.5 } },
    { what: 'the same: more memory of the API', against: '–', unit: 'MiB', aim: { is: 'at most', value: 128 } },
    {
      what: 'the same: Redis memory of a queued line, 500-byte input',
      against: '–',
      unit: 'KiB',
      aim: { is: 'at most', value: 1.8 },
      tolerance: 0.02,
    },
  ],
  rounds: 5,
  seconds: 70,
  async run({ rounds, profileDir, say }) {
    await using stack = new AsyncDisposableStack();
    const load = startAsked<BatchLoadQuestion>(new URL('../stand-ins/batch-load.ts', import.meta.url));
    stack.defer(() => load.stop());
    const samples: BatchSample[] = [];
    const sides = {
      ours: async () => {
        const sample = await ours(load, profileDir);
        samples.push(sample);
        return sample;
      },
      bare: () => bare(load.pid),
    };
    const compared = await alternate(rounds, sides, say);
    const all = samples.map((each) => each.allMayRunSeconds);
    const toLast = all.map((seconds, i) => LINES / seconds / (compared.bare[i]?.perSecond ?? Number.NaN));
    const notes = [
      `seconds (medians): to the 202 ${middle(compared.ours)}, to "every job may run" ${median(all).toFixed(1)}; bare ${middle(compared.bare)}, which parses and checks nothing and keeps the entries alone`,
    ];
    const memory = samples.map((each) => each.apiMemory);
    return [{ ...compared, notes }, { figures: toLast }, { figures: memory }, { figures: samples.map((each) => each.lineKib) }];
  },
};

const middle = (samples: readonly Sample[]): string => median(samples.map(({ perSecond }) => LINES / perSecond)).toFixed(1);

async function ours(load: Asked<BatchLoadQuestion>, profileDir: string | undefined): Promise<BatchSample> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startOwnRedis());
  const client = new Redis(redis.url);
  stack.defer(() => client.disconnect());
  const api = await startOurApi(redis, { profileDir });
  stack.defer(() => api.stop());
  const send = () => load.ask<number>({ ask: 'send', url: api.url, headers: api.headers });
  const store = createJobStore({ redis: client, prefix: 'gj', clock: Date });
  // In the room, or with one of its queue entries.
  const allMayRun = async (lines: number) =>
    await waitFor(async () => (await store.rooms.standing('call')).jobs >= lines - SEATS, {
      ...{ timeoutMs: ALL_MAY_RUN_MS, everyMs: 20, what: `${lines} jobs that may run` },
    });

  await load.ask({ ask: 'prepare', lines: WARM_UP });
  await send();
  await allMayRun(WARM_UP);
  await load.ask({ ask: 'prepare', lines: LINES });
  const linesBefore = await settledMemory(client);
  const used = cpuSince({ own: api.pid, redis: redis.pid, driver: load.pid });
  const moreOfApi = peakSince(api.pid);
  const began = performance.now();
  const seconds = await Promise.race([send(), api.broken]);
  const cpu = used(LINES);
  await allMayRun(WARM_UP + LINES);
  const allMayRunSeconds = (performance.now() - began) / 1000;
  const apiMemory = moreOfApi();
  const lineKib = ((await settledMemory(client)) - linesBefore) / LINES / 1024;
  return { perSecond: LINES / seconds, cpu, allMayRunSeconds, lineKib, apiMemory };
}

async function bare(loadPid: number): Promise<Sample> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startOwnRedis());
  const child = startAsked<BulkQuestion>(new URL('../bare/bulk.ts', import.meta.url));
  stack.defer(() => child.stop());
  const connection = connectionTo(redis);
  await child.ask({ redis: connection, lines: WARM_UP });
  const used = cpuSince({ own: child.pid, redis: redis.pid, driver: loadPid });
  const seconds = await child.ask<number>({ redis: connection, lines: LINES });
  return { perSecond: LINES / seconds, cpu: used(LINES) };
}
