import { followEvents, type JobEvent } from './api/events.ts';
import type { Context } from './context.ts';
import { type Job, jobPath } from './jobs.ts';
import { timeOfDay } from './output/format.ts';
import { type Paint, paintStatus } from './output/paint.ts';
import { patiently } from './wait.ts';

export interface FollowJob {
  timeoutS?: number | undefined;
  after?: number;
  /** Events of older runs are passed over. */
  fromRun?: number;
  onEvent: (event: JobEvent) => Promise<void> | void;
}

/** Follows a job until its newest run has ended, and answers the job as it is then. */
export async function followJob(context: Context, id: string, o: FollowJob): Promise<Job> {
  const { host, api, progress } = context;
  const goOn = `The job goes on. Follow it: pnpm jobs watch ${id}`;
  return await patiently(host, { timeoutS: o.timeoutS, goOn }, async (signal) => {
    const events = followEvents(host, api, id, {
      signal,
      note: progress.note,
      ...(o.after === undefined ? {} : { after: o.after }),
    });
    for await (const event of events) if (event.run >= (o.fromRun ?? 1)) await o.onEvent(event);
    return await api.get<Job>(jobPath(id));
  });
}

/** The state of a job in a line of progress. */
export const stateText = ({ status, stage, progress }: Pick<JobEvent, 'status' | 'stage' | 'progress'>): string =>
  [status === 'running' ? stage : status, status === 'running' && progress > 0 ? `${progress} %` : null]
    .filter(Boolean)
    .join(' ');

/** An event as a line of a log. */
export function eventText(event: JobEvent, paint: Paint): string {
  const percent = event.type === 'job.progress' ? ` ${event.progress} %` : '';
  const run = event.run === 1 ? '' : paint('dim', `  run ${event.run}`);
  return `${paint('dim', timeOfDay(event.timestamp))}  ${paintStatus(paint, event.status, event.type.replace(/^job\./, ''))}${percent}${run}`;
}
