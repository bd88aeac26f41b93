import { z } from 'zod';

/** What the routes about one job say alike. */

export const id = z.string().meta({ example: 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' });
export const oneJob = { path: z.object({ id }) };
/** Refusals of each route that reads or changes one job. */
export const ofOneJob = ['unauthorized', 'forbidden', 'not_found', 'unavailable'] as const;
export const address = z.string().describe('where the job is');
