import { waitFor } from '@grsai-jobs/testkit';
import { startAsked } from '../lib/children.ts';
import { contenders } from '../lib/contender.ts';
import { cpuSince } from '../lib/cpu.ts';
import { benchImage } from '../lib/job.ts';
import { postPaced } from '../lib/post-paced.ts';
import type { Row } from '../lib/row.ts';
import type { PicturesBooks, PicturesQuestion, PicturesUrls } from '../stand-ins/pictures.ts';

/** Tasks take between these, each length as likely as another. */
const TASK_MS = { min: 16_000, max: 24_000 };
/** The kind is learned from these, which are over before the others begin. */
const LEARNED = 100;
const JOBS = 400;
const PER_SECOND = 20;

/** Real processes and real time: from the end of a task at upstream to the webhook that brings its stored result. */
export const imageLateness: Row = {
  name: 'image-lateness',
  measures: [
    {
      what: `${JOBS} image tasks of 20 ± 4 s, learned pace: end of the task to the webhook, median`,
      against: '–',
      unit: 's',
      aim: { is: 'at most', value: 2 },
    },
    { what: 'the same: polls for a task', against: '–', unit: '', aim: { is: 'at most', value: 6 } },
  ],
  rounds: 1,
  seconds: 90,
  async run({ rounds, profileDir, say }) {
    const late: number[] = [];
    const polls: number[] = [];
    let notes: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const seen = await oneRound(profileDir);
      late.push(seen.late.median);
      polls.push(seen.polls);
      notes = [
        `p95 ${seen.late.p95.toFixed(1)} s; before anything was learned ${seen.unknown.median.toFixed(1)} s (median) at ${seen.unknownPolls.toFixed(1)} polls`,
        `a whole job with its webhook took ${seen.worker.toFixed(2)} ms of the worker's CPU and ${seen.redis.toFixed(2)} of Redis', what they do without jobs in that time among it; what a poll alone costs stands at \`in-flight\``,
      ];
      say(`round ${round}/${rounds}: ${seen.late.median.toFixed(1)} s late, ${seen.polls.toFixed(1)} polls`);
    }
    return [{ figures: late, notes }, { figures: polls }];
  },
};

async function oneRound(profileDir: string | undefined) {
  await using stack = new AsyncDisposableStack();
  const pictures = startAsked<PicturesQuestion>(new URL('../stand-ins/pictures.ts', import.meta.url));
  stack.defer(() => pictures.stop());
  const { upstream, receiver, s3, s3Env } = await pictures.ask<PicturesUrls>({ ask: 'start', options: { taskMs: TASK_MS } });
  const start = contenders().get('ours');
  if (start === undefined) throw new Error('we are not there');
  const contender = await start(stack, { upstream, s3, s3Env, images: 2 * JOBS, profileDir });
  const worker = await contender.startWorker();
  const wave = async (from: number, count: number): Promise<PicturesBooks> => {
    await Promise.race([
      postPaced(contender, { from, count, perSecond: PER_SECOND, job: (n) => benchImage(n, receiver) }),
      worker.broken,
    ]);
    const books = () => pictures.ask<PicturesBooks>({ ask: 'books', from });
    const allTold = async () => (await books()).succeeded === count;
    const limit = { timeoutMs: 120_000, everyMs: 250, what: `the webhooks of ${count} image jobs` };
    await Promise.race([waitFor(allTold, limit), worker.broken]);
    return await books();
  };
  const unknown = await wave(0, LEARNED);
  const used = cpuSince({ own: worker.pid, redis: contender.store.pid, driver: pictures.pid });
  const { late, polls } = await wave(LEARNED, JOBS);
  const { own, redis } = used(JOBS);
  return {
    late,
    polls: (polls - unknown.polls) / JOBS,
    ...{ unknown: unknown.late, unknownPolls: unknown.polls / LEARNED, worker: own, redis },
  };
}
