import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@grsai-jobs/testkit';
import { startAsked } from '../lib/children.ts';
import { contenders, type StartContender } from '../lib/contender.ts';
import { benchImage } from '../lib/job.ts';
import { postPaced } from '../lib/post-paced.ts';
import type { Row } from '../lib/row.ts';
import type { PicturesBooks, PicturesQuestion, PicturesUrls } from '../stand-ins/pictures.ts';

const JOBS = 1000;
const TASK_MS = 20_000;
/** As long as a real upstream takes to answer, and a receiver: what a kill finds on its way. */
const SUBMIT_MS = 400;
const RECEIVER_MS = 200;
/** 500 tasks are in flight from the twentieth second to the fortieth, when the last job is posted. */
const PER_SECOND = 25;
/** The kill comes when so many are told of: then jobs are submitted, polled, stored and told of, all at once. */
const TOLD = 50;
/** What is not done by then is not done by itself: BullMQ finds what is left after a minute at the latest. */
const ALONE_S = 90;
const HELPED_S = 60;

/** What is left of jobs when their worker was killed and another one runs. */
interface Left {
  /** Seconds from the kill to the last webhook; nothing when some never came. */
  readonly seconds: number | undefined;
  readonly alone: PicturesBooks;
  /** After an operator helped; nothing where nothing is known that helps, or nothing was missing. */
  readonly helped: PicturesBooks | undefined;
}

/**
 * One worker is killed (SIGKILL) in the middle, and started again at once as a supervisor would. All sides run beside each other, each with
 * surroundings of its own: nothing here is about time spent.
 */
export const peersKilled: Row = {
  name: 'peers-killed',
  measures: [
    {
      what: `${JOBS} image jobs, kill -9 of the worker in the middle: tasks paid for twice`,
      against: '–',
      unit: 'jobs',
      aim: { is: 'at most', value: 0 },
      tolerance: 0,
    },
    { what: 'the same: webhooks missing', against: '–', unit: 'jobs', aim: { is: 'at most', value: 0 }, tolerance: 0 },
    { what: 'the same: kill to the last webhook, of jobs that were posted after it too', against: '–', unit: 's' },
  ],
  rounds: 1,
  seconds: 180,
  async run({ rounds, say }) {
    const all: (readonly (readonly [string, Left])[])[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const sides = [...contenders()].map(async ([who, start]) => {
        const left = await killOne(start, (line) => say(`round ${round}/${rounds}: ${who}: ${line}`));
        return [who, left] as const;
      });
      // None is left running behind another that failed.
      await Promise.allSettled(sides);
      all.push(await Promise.all(sides));
    }
    const ours = all.flatMap((each) => each.filter(([who]) => who === 'ours').map(([, left]) => left));
    const table = [HEAD, ...all.flat().flatMap(([who, left]) => linesOf(who, left))];
    const notes = [
      'of a submit that was on its way we say that its outcome is unknown (`submit_unknown`), unless the job says `on_unknown_submit: "resubmit"`: it may have been paid for, so it is not paid for again',
      ...(contenders().has('graphile-worker')
        ? ['graphile-worker lets others have the jobs of a killed worker after four hours']
        : []),
    ];
    return [
      { figures: ours.map(({ alone }) => alone.paidTwice), notes, table },
      { figures: ours.map(({ alone }) => missingOf(alone)) },
      { figures: ours.map(({ seconds = Number.POSITIVE_INFINITY }) => seconds) },
    ];
  },
};

const HEAD = [
  '',
  'succeeded',
  'failed, and said so',
  'webhooks missing',
  'paid twice',
  'paid for, no result',
  'told twice',
  'last webhook after the kill',
];

const missingOf = ({ succeeded, failed }: PicturesBooks): number => JOBS - succeeded - failed;

function linesOf(who: string, { seconds, alone, helped }: Left): string[][] {
  const cells = (name: string, books: PicturesBooks, last: string) => [
    name,
    ...[books.succeeded, books.failed, missingOf(books), books.paidTwice].map(String),
    String(books.lost),
    String(books.toldTwice),
    last,
  ];
  const last = seconds === undefined ? `not within ${ALONE_S} s` : `${seconds.toFixed(0)} s`;
  return [cells(who, alone, last), ...(helped === undefined ? [] : [cells(`${who}, unlocked by an operator`, helped, '')])];
}

async function killOne(start: StartContender, say: (line: string) => void): Promise<Left> {
  await using stack = new AsyncDisposableStack();
  const pictures = startAsked<PicturesQuestion>(new URL('../stand-ins/pictures.ts', import.meta.url));
  stack.defer(() => pictures.stop());
  const options = { taskMs: TASK_MS, submitMs: SUBMIT_MS, receiverMs: RECEIVER_MS };
  const { upstream, receiver, s3, s3Env } = await pictures.ask<PicturesUrls>({ ask: 'start', options });
  const contender = await start(stack, { upstream, s3, s3Env, images: JOBS });
  await pictures.ask({ ask: 'secret', secret: contender.secret });
  const victim = await contender.startWorker();
  const books = () => pictures.ask<PicturesBooks>({ ask: 'books' });

  const posted = postPaced(contender, { count: JOBS, perSecond: PER_SECOND, job: (n) => benchImage(n, receiver) });
  const some = async () => (await books()).succeeded >= TOLD;
  // At the latest when all are posted.
  await Promise.race([waitFor(some, { timeoutMs: 120_000, what: `${TOLD} webhooks` }), victim.broken, posted]);
  const before = await books();
  await victim.kill();
  const killed = performance.now();
  const unlock = await contender.heirless?.();
  const heir = await contender.startWorker();
  const { submits, webhooks } = before.onTheirWay;
  say(
    `killed with ${before.paid} tasks paid for, ${before.succeeded} told of, ${submits} submits and ${webhooks} webhooks on their way`,
  );
  await posted;

  const told = async () => missingOf(await books()) === 0;
  const within = async (seconds: number) =>
    await Promise.race([
      waitFor(told, { timeoutMs: seconds * 1000, everyMs: 250, what: 'all webhooks' }).then(
        () => true,
        () => false,
      ),
      heir.broken,
    ]);
  const all = await within(ALONE_S - (performance.now() - killed) / 1000);
  const seconds = all ? (performance.now() - killed) / 1000 : undefined;
  // One that came twice comes soon after.
  await sleep(1000);
  const alone = await books();
  say(`${missingOf(alone)} webhooks missing, ${alone.paidTwice} paid twice, failed ${JSON.stringify(alone.reasons)}`);
  if (all || unlock === undefined) return { seconds, alone, helped: undefined };
  await unlock();
  await within(HELPED_S);
  const helped = await books();
  say(`unlocked: ${missingOf(helped)} webhooks missing, ${helped.paidTwice} paid twice`);
  return { seconds, alone, helped };
}
