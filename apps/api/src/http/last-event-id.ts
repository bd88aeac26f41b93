import { Problem } from './problem.ts';

/** The id of the last event that somebody has seen who comes back; 0: none. @throws Problem 400 */
export function lastEventId(header: string | string[] | undefined): number {
  if (header === undefined || header === '') return 0;
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header))
    throw new Problem('bad_request', 'Last-Event-ID must be the id of an event of this job.');
  return Number(header);
}
