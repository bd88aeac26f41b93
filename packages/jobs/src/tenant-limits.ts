import { z } from 'zod';
import { modelName } from './request.ts';

const LIMIT = 1_000_000_000_000;
const limit = (about: string) =>
  z
    .int('must be a whole number')
    .min(0, 'must not be below 0; 0 is no limit')
    .max(LIMIT, `is limited to ${LIMIT}; 0 is no limit`)
    .optional()
    .describe(`${about}; 0 is no limit`);

/** What an operator has set for one tenant. What is left out is as the service is configured. */
export const TenantLimits = z
  .strictObject({
    requests_per_minute: limit('requests to /v1 in a minute, of all keys of the tenant together').meta({ example: 600 }),
    models: z
      .array(modelName)
      .min(1, 'name at least one model, or leave it out for all')
      .max(100, 'name at most 100 models')
      .optional()
      .describe('the models that its jobs may use; left out: all')
      .meta({ example: ['nano-banana-2', 'gemini-3.1-pro'] }),
    max_in_flight: limit('calls in flight and running tasks of its jobs at once').meta({ example: 20 }),
    max_queued: limit(
      'jobs that wait for their call or submit, lines of batches among them; a batch of which all lines do not fit is refused',
    ).meta({ example: 5000 }),
    max_live_jobs: limit('jobs that have not ended, lines of batches among them').meta({ example: 10_000 }),
    max_redis_bytes: limit('bytes of its jobs in Redis').meta({ example: 100_000_000 }),
    budget: z
      .strictObject({
        credits: z
          .int('must be a whole number')
          .min(1, 'must be at least 1; leave the budget out for none')
          .max(LIMIT, `is limited to ${LIMIT}; leave the budget out for none`),
        period: z.enum(['day', 'month', 'total'], { error: 'must be day, month or total' }),
      })
      .optional()
      .describe(
        'what its paid calls may cost in a day or month (UTC), or in all: jobs are refused once what is charged and reserved has reached it, and those that were accepted wait while their price does not fit; left out: no limit',
      )
      .meta({ example: { credits: 1_000_000, period: 'month' } }),
    max_stored_bytes: limit('bytes of inputs and results of its jobs in the bucket').meta({ example: 10_000_000_000 }),
  })
  .meta({ id: 'TenantLimits' });
export type TenantLimits = z.output<typeof TenantLimits>;
export type Budget = NonNullable<TenantLimits['budget']>;
