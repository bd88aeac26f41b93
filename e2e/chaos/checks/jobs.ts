import { type Evidence, type JobEvidence, recordOf } from '../evidence.ts';
import { isLimited, isStillRead } from '../send-load.ts';

const TERMINAL: readonly string[] = ['succeeded', 'failed', 'canceled', 'expired'];

/** How a job is named in what a check says. */
export const nameOf = (job: JobEvidence): string => {
  const record = recordOf(job);
  const { n, kind, onUnknown, fault } = job.planned;
  const what = `#${n} ${kind} ${onUnknown} ${fault.directive || 'no fault'}`;
  return record === undefined ? `(no record) [${what}]` : `${record.id} [${what}]`;
};

/** Status, stage and error code, as `failed (submit_unknown)`. */
export function endOf(job: JobEvidence): string {
  const record = recordOf(job);
  if (record === undefined) return 'no record';
  const code = record.error ? ` (${record.error.code})` : '';
  return `${record.status}${record.stage ? `/${record.stage}` : ''}${code}`;
}

/** P1: an accepted job reaches a terminal state, whatever died in between. */
export function acceptedJobsEnd({ jobs }: Evidence): string[] {
  return jobs.flatMap((job) => {
    const accepted = job.answers.filter((answer) => answer.status === 202);
    const record = recordOf(job);
    if (accepted.length > 0 && record === undefined) return [`${nameOf(job)} was accepted and has no record`];
    if (record === undefined || TERMINAL.includes(record.status)) return [];
    const due = record.due === 0 ? 'nothing is due' : `due ${new Date(record.due).toISOString()}`;
    return [
      `${nameOf(job)} has not ended: ${endOf(job)}, run ${record.run}, step ${record.step}, crashes ${record.crashes}, ${due}`,
    ];
  });
}

/** Every POST was taken in the end, and one key never made two jobs. */
export function oneKeyMakesOneJob({ jobs }: Evidence): string[] {
  return jobs.flatMap((job) => {
    const said: string[] = [];
    const ids = new Set(job.answers.flatMap((answer) => answer.id ?? []));
    const refusals = job.answers.filter(
      (answer) => ![0, 202, 503].includes(answer.status) && !isStillRead(answer) && !isLimited(answer),
    );
    if (refusals.length > 0) said.push(`${nameOf(job)} was refused: ${refusals[0]?.status} ${refusals[0]?.text}`);
    if (ids.size === 0) said.push(`${nameOf(job)} was never accepted; last answer: ${job.answers.at(-1)?.text}`);
    if (ids.size > 1) said.push(`${nameOf(job)}: its key was answered with ${[...ids].join(' and ')}`);
    if (job.records.length > 1) said.push(`its key made ${job.records.map((record) => record.id).join(' and ')}`);
    const [id] = ids;
    if (id !== undefined && job.records.length === 1 && recordOf(job)?.id !== id)
      said.push(`${nameOf(job)} was answered with ${id}`);
    return said;
  });
}
