import { type Evidence, type JobEvidence, recordOf } from '../evidence.ts';
import { nameOf } from './jobs.ts';

/**
 * Paid calls of a job whose answer never came whole, from the books of upstream: cut by a fault, cut as the node went away,
 * or left by a caller that died or gave up; and the first one of a job whose fault is an answer that names no task.
 */
export const lostAnswers = (job: JobEvidence): number =>
  job.submits.filter((submit, i) => !submit.answered || (i === 0 && job.planned.fault.answer === 'lost')).length;

/** Paid calls that were open when a worker was killed, frozen or cut off from Redis, or a node of upstream went away. */
export function openAtTrouble({ troubles }: Pick<Evidence, 'troubles'>): { total: number; of(id: string | undefined): number } {
  const tokens = new Map(troubles.flatMap((caused) => caused.open.map(({ id, token }) => [token, id] as const)));
  return { total: tokens.size, of: (id) => [...tokens.values()].filter((each) => each === id).length };
}

/** Runs of a job that ended as `submit_unknown`, those before a reopening too. */
function unknownRuns(job: JobEvidence): number {
  const record = recordOf(job);
  if (record === undefined) return 0;
  const ends = [record.error, ...Object.values(record.past).map((past) => past.error)];
  return ends.filter((error) => error?.code === 'submit_unknown').length;
}

export const unknownEnds = ({ jobs }: Evidence): number => jobs.reduce((sum, job) => sum + unknownRuns(job), 0);

/** As many as may end `submit_unknown` (see the check). */
export const unknownBound = (evidence: Evidence): number =>
  evidence.jobs.reduce((sum, job) => sum + lostAnswers(job), 0) + openAtTrouble(evidence).total;

/**
 * A run ends `submit_unknown` only when nobody can know. The bound has two parts:
 * - answers that the caller did not get, by the ledger (`lostAnswers`);
 * - calls open at a kill, a freeze, a worker's loss of Redis or a cut by an absent node, by the tokens in `sent` at that moment. The ledger does not
 *   see all of these: a worker can die before its bytes reach upstream, or after it read the answer and before it wrote
 *   the task id; and one that was frozen may find its own time limit passed although the answer lies in its socket.
 * A call can stand in both parts, and calls of workers that lived on stand in the second, so it is an upper bound. Each
 * job by itself needs one of the reasons as well, which is the sharper question.
 */
export function unknownIsExplained(evidence: Evidence): string[] {
  const open = openAtTrouble(evidence);
  const unexplained = evidence.jobs.filter((job) => unknownRuns(job) > lostAnswers(job) + open.of(recordOf(job)?.id));
  const [ends, bound] = [unknownEnds(evidence), unknownBound(evidence)];
  return [
    ...unexplained.map((job) => `${nameOf(job)} ended submit_unknown, and no answer to it was lost`),
    ...(ends > bound ? [`${ends} runs ended submit_unknown, but only ${bound} calls can have had an unknown outcome`] : []),
  ];
}
