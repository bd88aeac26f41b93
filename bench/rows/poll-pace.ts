import { createJobStore } from '@grsai-jobs/job-store';
import { startRedis } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { describe, fixedPace, lateOf, learnedPace, pollsOf, type Tasks, unknownPace } from '../lib/poll-trial.ts';
import type { Measured, Row, RunOptions } from '../lib/row.ts';

const USUAL: Tasks = { mean: 60, sd: 20 };
/** What a vendor may change to, and back. */
const SHIFTED: readonly Tasks[] = [{ mean: 30, sd: 10 }, USUAL, { mean: 120, sd: 40 }, { mean: 15, sd: 5 }];
const FIRST = 400;
const MEASURED = 4000;
const AFTER_SHIFT = 400;
const WINDOW = 100;
const FIXED_MS = 3000;

const name = ({ mean, sd }: Tasks): string => `${mean} ± ${sd} s`;

/** A simulation: only the time that tasks take is made up; the pace and what is learned in Redis are ours. */
async function simulate({ rounds, say }: RunOptions): Promise<Measured[]> {
  await using server = await startRedis();
  const redis = new Redis(server.url);
  const polls: number[] = [];
  const late: number[] = [];
  let notes: string[] = [];
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const { paces } = createJobStore({ redis, prefix: `bench-${round}`, clock: { now: () => Date.now() } });
      await learnedPace(paces, USUAL, FIRST);
      const learned = await learnedPace(paces, USUAL, MEASURED);
      polls.push(pollsOf(learned));
      late.push(lateOf(learned));
      say(`round ${round}/${rounds}: ${describe(learned)}`);
      notes = [
        `${name(USUAL)}: learned pace ${describe(learned)} · nothing known ${describe(unknownPace(USUAL, MEASURED))} · every 3 s ${describe(fixedPace(USUAL, MEASURED, FIXED_MS))}`,
      ];
      for (const tasks of SHIFTED) {
        const found = await learnedPace(paces, tasks, AFTER_SHIFT);
        const windows = Array.from({ length: AFTER_SHIFT / WINDOW }, (_, i) => found.slice(i * WINDOW, (i + 1) * WINDOW));
        notes.push(
          `then ${name(tasks)}, each ${WINDOW} tasks: ${windows.map(describe).join(' · ')} (every 3 s ${describe(fixedPace(tasks, MEASURED, FIXED_MS))})`,
        );
      }
    }
    return [{ figures: polls, notes }, { figures: late }];
  } finally {
    redis.disconnect();
  }
}

const tasks = `a task of ${name(USUAL)}, learned pace, simulated, median of ${MEASURED}`;
const against = 'fixed 3 s polling: 20 polls, 1.5 s late';

export const pollPace: Row = {
  name: 'poll-pace',
  measures: [
    { what: `polls for ${tasks}`, against, unit: '', aim: { is: 'at most', value: 5 } },
    { what: `lateness of the poll that finds ${tasks} done`, against, unit: 's', aim: { is: 'at most', value: 3 } },
  ],
  rounds: 3,
  seconds: 30,
  run: simulate,
};
