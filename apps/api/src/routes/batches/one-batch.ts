import { z } from 'zod';
import { runningBatch } from './examples.ts';

/** What the routes about one batch say alike. */

export const oneBatch = { path: z.object({ id: z.string().meta({ example: runningBatch.id }) }) };
/** Refusals of each route that reads or changes one batch. */
export const ofOneBatch = ['unauthorized', 'forbidden', 'not_found', 'unavailable'] as const;
export const address = z.string().describe('where the batch is');
