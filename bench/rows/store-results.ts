import { waitFor } from '@grsai-jobs/testkit';
import type { BareStoreQuestion } from '../bare/store.ts';
import { type Asked, startAsked } from '../lib/children.ts';
import { cpuSince } from '../lib/cpu.ts';
import { peakSince } from '../lib/memory.ts';
import { startReadyWorker } from '../lib/ours.ts';
import { writePaidJobs } from '../lib/paid-jobs.ts';
import { startOwnRedis } from '../lib/redis.ts';
import type { Row } from '../lib/row.ts';
import { alternate, median, type Sample } from '../lib/sample.ts';
import type { ObjectsCount, ObjectsQuestion, ObjectsUrls } from '../stand-ins/objects.ts';

const FILES = 200;
/** The default of STORE_CONCURRENCY, given to the bare side as well. */
const AT_ONCE = 16;

interface StoreSample extends Sample {
  /** MiB more than the process had when it was idle. */
  readonly memory: number;
}

/** Each round has a new process on both sides. Ours also reads the type, hashes, and ends the job. */
export const storeResults: Row = {
  name: 'store-200',
  measures: [
    {
      what: `${FILES} results of 8 MiB, ${AT_ONCE} at once`,
      against: 'bare undici → S3 pipeline',
      unit: '',
      aim: { is: 'at least', value: 0.7 },
    },
    { what: 'the same: more memory than idle', against: '–', unit: 'MiB', aim: { is: 'at most', value: 256 } },
  ],
  rounds: 5,
  seconds: 70,
  async run({ rounds, profileDir, say }) {
    await using stack = new AsyncDisposableStack();
    const objects = startAsked<ObjectsQuestion>(new URL('../stand-ins/objects.ts', import.meta.url));
    stack.defer(() => objects.stop());
    const urls = await objects.ask<ObjectsUrls>({ ask: 'urls' });
    const memory: { ours: number[]; bare: number[] } = { ours: [], bare: [] };
    const kept = (side: 'ours' | 'bare', run: () => Promise<StoreSample>) => async () => {
      const sample = await run();
      memory[side].push(sample.memory);
      return sample;
    };
    const sides = {
      ours: kept('ours', () => ours(objects, urls, profileDir)),
      bare: kept('bare', () => bare(objects, urls.files)),
    };
    const compared = await alternate(rounds, sides, say);
    const notes = [
      `more memory than idle: ours ${median(memory.ours).toFixed(0)} MiB, bare ${median(memory.bare).toFixed(0)} MiB`,
      'the driver is one process that serves the files and takes the uploads; where its CPU is the larger part, the ratio is better than it would be elsewhere',
    ];
    return [{ ...compared, notes }, { figures: memory.ours }];
  },
};

async function stored(objects: Asked<ObjectsQuestion>): Promise<number> {
  const { seconds, downloads, uploads } = await objects.ask<ObjectsCount>({ ask: 'stored' });
  if (downloads !== FILES) throw new Error(`${uploads} uploads of ${downloads} downloads`);
  return FILES / seconds;
}

async function ours(objects: Asked<ObjectsQuestion>, urls: ObjectsUrls, profileDir: string | undefined): Promise<StoreSample> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startOwnRedis());
  const jobs = await writePaidJobs(redis, FILES, (i) => `${urls.files}/files/${i}.png`);
  stack.defer(() => jobs.close());
  const worker = await startReadyWorker(redis, { profileDir, env: { S3_BUCKET: 'bench', S3_ENDPOINT: urls.bucket } });
  stack.defer(() => worker.stop());
  await objects.ask({ ask: 'expect', files: FILES });
  const used = cpuSince({ own: worker.pid, redis: redis.pid, driver: objects.pid });
  const more = peakSince(worker.pid);
  await jobs.enqueue();
  const perSecond = await Promise.race([stored(objects), worker.broken]);
  const sample = { perSecond, cpu: used(FILES), memory: more() };
  const allEnded = async () => (await jobs.succeeded()) === FILES;
  await waitFor(allEnded, { timeoutMs: 10_000, everyMs: 100, what: `${FILES} jobs to succeed` });
  return sample;
}

async function bare(objects: Asked<ObjectsQuestion>, url: string): Promise<StoreSample> {
  await using stack = new AsyncDisposableStack();
  const child = startAsked<BareStoreQuestion>(new URL('../bare/store.ts', import.meta.url));
  stack.defer(() => child.stop());
  await child.ask({ objects: url, files: 0, atOnce: AT_ONCE });
  await objects.ask({ ask: 'expect', files: FILES });
  const used = cpuSince({ own: child.pid, driver: objects.pid });
  const more = peakSince(child.pid);
  await child.ask({ objects: url, files: FILES, atOnce: AT_ONCE });
  return { perSecond: await stored(objects), cpu: used(FILES), memory: more() };
}
