import type { JobEvent } from '@grsai-jobs/client';
import type { Host } from './host.ts';
import { timeOfDay } from './output/format.ts';
import { type Paint, paintStatus } from './output/paint.ts';

export const followHint = ({ program }: Host, id: string): string => `The job goes on. Follow it: ${program} watch ${id}`;

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
