import { waitFor } from '@grsai-jobs/testkit';
import { startAsked } from '../lib/children.ts';
import { contenders, missing, type PeerName, type StartContender } from '../lib/contender.ts';
import { cpuSince } from '../lib/cpu.ts';
import { benchImage } from '../lib/job.ts';
import { memoryOf } from '../lib/memory.ts';
import { postPaced } from '../lib/post-paced.ts';
import type { Measured, Row } from '../lib/row.ts';
import { costOf, median, type Sample, takeTurns } from '../lib/sample.ts';
import type { PicturesBooks, PicturesQuestion, PicturesUrls } from '../stand-ins/pictures.ts';

const JOBS = 1000;
const TASK_MS = 20_000;
/** All are in flight from the tenth second to the twentieth. */
const PER_SECOND = 100;

interface ImageSample extends Sample {
  /** Of the worker at the most, MiB. */
  readonly memory: number;
  /** Seconds from the end of a task to its webhook. */
  readonly late: PicturesBooks['late'];
  /** For one task. */
  readonly polls: number;
}

/**
 * Image jobs by us and by the same peers as in `peers-chat`: submit, poll, download, put into S3, signed webhook. All tasks are in flight at once.
 * The peers poll every 3 s; we learn nothing before the first task has ended (`image-lateness` has what is learned). Jobs come while it is measured, so
 * a store's CPU has what it takes to keep and queue them.
 */
export const peersImage: Row = {
  name: 'peers-image',
  measures: [
    {
      what: `${JOBS} image jobs with tasks of ${TASK_MS / 1000} s at once, to signed webhook: CPU of a job`,
      against: 'a plain BullMQ worker',
      unit: '',
      aim: { is: 'at least', value: 0.7 },
    },
    { what: 'the same', against: 'graphile-worker on PostgreSQL', unit: '', aim: { is: 'at least', value: 1.3 } },
    { what: 'the same: memory of our worker at the most', against: '–', unit: 'MiB' },
  ],
  rounds: 2,
  seconds: 220,
  async run({ rounds, profileDir, say }) {
    const sides = new Map([...contenders()].map(([who, start]) => [who, () => oneSide(start, profileDir)]));
    const samples = await takeTurns(rounds, sides, (round, who, sample) =>
      say(`round ${round}/${rounds}: ${who} ${told(sample)}`),
    );
    const ours = samples.get('ours') ?? [];
    const table = [HEAD, ...[...samples].map(([who, each]) => cellsOf(who, each))];
    return [
      { ...compared('BullMQ', ours, samples.get('BullMQ')), table },
      compared('graphile-worker', ours, samples.get('graphile-worker')),
      { figures: ours.map(({ memory }) => memory) },
    ];
  },
};

const told = ({ memory, late, polls, cpu }: ImageSample): string =>
  `${memory.toFixed(0)} MiB, ${late.median.toFixed(1)} s late (p95 ${late.p95.toFixed(1)}), ${polls.toFixed(1)} polls, ${cpu.own.toFixed(2)} + ${cpu.redis.toFixed(2)} ms a job`;

const HEAD = ['', 'memory at the most', 'late, median', 'late, p95', 'polls for a task', 'CPU of a job: worker', 'and its store'];

function cellsOf(who: string, samples: readonly ImageSample[]): string[] {
  const middle = (of: (sample: ImageSample) => number) => median(samples.map(of));
  return [
    who,
    `${middle(({ memory }) => memory).toFixed(0)} MiB`,
    `${middle(({ late }) => late.median).toFixed(1)} s`,
    `${middle(({ late }) => late.p95).toFixed(1)} s`,
    middle(({ polls }) => polls).toFixed(1),
    `${middle(({ cpu }) => cpu.own).toFixed(2)} ms`,
    `${middle(({ cpu }) => cpu.redis).toFixed(2)} ms`,
  ];
}

function compared(peer: PeerName, ours: readonly Sample[], theirs: readonly Sample[] | undefined): Measured {
  if (theirs === undefined) return { figures: [], skipped: missing(peer) ?? 'nothing was measured' };
  return { figures: theirs.map((sample, i) => costOf(sample) / costOf(ours[i] ?? sample)), ours, bare: theirs };
}

async function oneSide(start: StartContender, profileDir: string | undefined): Promise<ImageSample> {
  await using stack = new AsyncDisposableStack();
  const pictures = startAsked<PicturesQuestion>(new URL('../stand-ins/pictures.ts', import.meta.url));
  stack.defer(() => pictures.stop());
  const { upstream, receiver, s3, s3Env } = await pictures.ask<PicturesUrls>({ ask: 'start', options: { taskMs: TASK_MS } });
  const contender = await start(stack, { upstream, s3, s3Env, images: JOBS, profileDir });
  await pictures.ask({ ask: 'secret', secret: contender.secret });
  const worker = await contender.startWorker();
  const began = performance.now();
  const used = cpuSince({ own: worker.pid, redis: contender.store.pid, driver: pictures.pid });
  const books = () => pictures.ask<PicturesBooks>({ ask: 'books' });
  const allTold = async () => {
    const { succeeded, failed } = await books();
    return succeeded + failed === JOBS;
  };
  await Promise.race([
    postPaced(contender, { count: JOBS, perSecond: PER_SECOND, job: (n) => benchImage(n, receiver) }),
    worker.broken,
  ]);
  const limit = { timeoutMs: 120_000, everyMs: 250, what: `the webhooks of ${JOBS} image jobs` };
  await Promise.race([waitFor(allTold, limit), worker.broken]);
  const seconds = (performance.now() - began) / 1000;
  const cpu = used(JOBS);
  const memory = memoryOf(worker.pid).peak;
  const { paid, polls, late, succeeded, badSignatures } = await books();
  if (paid !== JOBS || succeeded !== JOBS || badSignatures > 0)
    throw new Error(`${JOBS} jobs: ${paid} paid for, ${succeeded} succeeded, ${badSignatures} bad signatures`);
  return { perSecond: JOBS / seconds, cpu, memory, late, polls: polls / JOBS };
}
