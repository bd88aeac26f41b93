import type { Delivery } from './delivery.ts';
import type { JobRecord } from './job/job.ts';
import { isTerminal } from './job/states.ts';

/** One thing that happened to a job, for operators. `at` in ms since 1970. */
export interface Happening {
  at: number;
  event: 'accepted' | 'started' | 'attempt' | 'task' | 'run_ended' | 'delivery_pending' | 'webhook_attempt';
  run: number;
  /** What there is to say of it, by event. */
  detail: Readonly<Record<string, unknown>>;
}

const ofAttempts = (job: JobRecord): Happening[] =>
  job.attempts.map(({ run, started_at, ...attempt }) => ({ at: started_at, event: 'attempt', run, detail: attempt }));

/** Runs that were followed by another, and the present one when it has ended. */
function ofRuns(job: JobRecord): Happening[] {
  const past = Object.entries(job.past).map(([run, each]) => ({ ...each, run: Number(run) }));
  const present = isTerminal(job.status) ? [job] : [];
  return [...past, ...present].flatMap(({ run, finished_at, status, error }) =>
    finished_at === null
      ? []
      : [{ at: finished_at, event: 'run_ended', run, detail: { status, error_code: error?.code ?? null } }],
  );
}

const ofDelivery = ({ id, run, type, created_at, attempts }: Delivery): Happening[] => [
  { at: created_at, event: 'delivery_pending', run, detail: { delivery_id: id, type } },
  ...attempts.map(
    ({ at, answer: _, ...attempt }): Happening => ({
      at,
      event: 'webhook_attempt',
      run,
      detail: { delivery_id: id, ...attempt },
    }),
  ),
];

/** All that is still known of a job in the order that it happened: of attempts that cost nothing the newest 20. */
export function timelineOf(job: JobRecord, deliveries: readonly Delivery[]): Happening[] {
  const start: Happening[] = [{ at: job.created_at, event: 'accepted', run: 1, detail: {} }];
  if (job.started_at !== null) start.push({ at: job.started_at, event: 'started', run: 1, detail: {} });
  const { task } = job;
  if (task !== null)
    start.push({ at: task.submitted_at, event: 'task', run: job.run, detail: { base: task.base, task_id: task.id } });
  return [...start, ...ofAttempts(job), ...ofRuns(job), ...deliveries.flatMap(ofDelivery)].sort((a, b) => a.at - b.at);
}
