import type { LogLine } from '@grsai-jobs/testkit';
import { type Evidence, recordOf } from '../evidence.ts';
import type { TroubleKind } from '../plan-troubles.ts';

const REDIS_TROUBLES: readonly TroubleKind[] = ['redis.kill', 'redis.pause', 'redis.refuse', 'redis.cut', 'worker.cutoff'];

/** An error line that is right to be there. */
interface Allowed {
  readonly event: string;
  readonly when: (line: LogLine, evidence: Evidence) => boolean;
  readonly why: string;
}

const redisWasAway = (line: LogLine, { troubles }: Evidence): boolean => {
  const at = Date.parse(String(line['time']));
  return troubles.some(
    ({ trouble, from, until }) => REDIS_TROUBLES.includes(trouble.kind) && from <= at && at <= until + REDIS_BACK_MS,
  );
};

/** Connections come back within a second, and a command has five. */
const REDIS_BACK_MS = 7000;

const ALLOWED: readonly Allowed[] = [
  {
    event: 'http.request',
    when: (line, evidence) => line['status'] === 503 && redisWasAway(line, evidence),
    why: 'intake says 503 while Redis is away',
  },
  {
    event: 'job.paid_not_written',
    when: (line, evidence) => line['level'] === 'error' && redisWasAway(line, evidence),
    why: 'tried until Redis takes it',
  },
  {
    event: 'queues.paused',
    when: (line) => line['reason'] === 'upstream' || line['reason'] === 'storage',
    why: 'faults and outages add up to a pause; nothing of the run is about the key or the credits',
  },
  { event: 'audit.open', when: redisWasAway, why: 'the change of a limit was made, or is asked for again' },
  { event: 'maintain.failed', when: redisWasAway, why: 'its next run tries again' },
  {
    event: 'job.task_without_run',
    when: (line, { jobs }) => jobs.some((job) => recordOf(job)?.id === line['job_id'] && job.planned.onUnknown === 'resubmit'),
    why: 'the caller allowed a second task, and the first one turned up',
  },
];

const isError = (line: LogLine): boolean => line.stream === 'stderr' || line['level'] === 'error' || line['level'] === 'fatal';

/** Neither app says an error that is not in the table, nor anything on stderr. */
export function logsHaveNoUnexpectedErrors(evidence: Evidence): string[] {
  return evidence.processes.flatMap(({ name, lines, failedStarts }) =>
    lines.flatMap((line) => {
      if (!isError(line)) return [];
      if (ALLOWED.some(({ event, when }) => line['event'] === event && when(line, evidence))) return [];
      // A start that came to nothing says so on stderr; the next check looks at it.
      if (line.stream === 'stderr' && failedStarts.some((failed) => failed.error.includes(line.raw))) return [];
      return [`${name}: ${line.raw.slice(0, 1500)}`];
    }),
  );
}

/** No process ended that nobody killed, none failed to start with Redis there, and the stop at the end was clean (P6). */
export function processesLive(evidence: Evidence): string[] {
  return evidence.processes.flatMap(({ name, unexpected, failedStarts, lastExit }) => [
    ...unexpected.map(({ exit, tail }) => `${name} ended by itself (${exit.signal ?? exit.code}):\n${tail}`),
    ...failedStarts
      .filter(
        ({ at }) => !evidence.troubles.some((each) => REDIS_TROUBLES.includes(each.trouble.kind) && startFailedBy(each, at)),
      )
      .map(({ error }) => `${name} did not start: ${error.slice(0, 1000)}`),
    ...(lastExit === 0 ? [] : [`${name} did not stop cleanly: exit code ${lastExit}`]),
  ]);
}

/** A start waits up to 10 s for Redis before it gives up. */
const startFailedBy = (caused: { from: number; until: number }, at: number): boolean =>
  caused.from <= at && at <= caused.until + 12_000;
