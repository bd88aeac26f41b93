import { BATCH_STATUSES, TERMINAL } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { Cost, JobError, JobResult, Waiting, Warning } from '../jobs/schemas.ts';

const time = z.iso.datetime().nullable();
const count = z.int().min(0);

/** A batch as callers see it. */
export const Batch = z
  .strictObject({
    id: z.string().meta({ example: 'batch_01K9ZW0D5E7F9G1H3J5K7M9N1P' }),
    object: z.literal('batch'),
    status: z.enum(BATCH_STATUSES),
    counts: z
      .strictObject({
        total: count,
        queued: count,
        running: count,
        succeeded: count,
        failed: count,
        canceled: count,
        expired: count,
      })
      .describe('the six add up to `total`; a job that is `canceling` counts as running'),
    waiting: Waiting.nullable().describe('why its first queued job waits; null when none does, and in answers to POST'),
    round: z.int().describe('1, and one more each time that an ended batch is reopened'),
    cost: Cost.nullable().describe('of all its jobs; null: no call of a job with a known price has begun'),
    invalid_count: count.describe('lines that were left out'),
    metadata: z.record(z.string(), z.string()),
    webhook: z.strictObject({
      url: z.string().nullable(),
      events: z.array(z.string()),
      state: z.enum(['none', 'pending', 'delivered', 'failed']),
      last_delivery_id: z.string().nullable(),
    }),
    results_file: z
      .strictObject({
        url: z.string().describe('signed afresh in each answer'),
        expires_at: z.iso.datetime().describe('when the link dies'),
        content_type: z.literal('application/x-ndjson'),
        bytes: z.int(),
        sha256: z.string(),
        key: z.string().describe('in the bucket'),
      })
      .nullable()
      .describe('all results of the last round, once it has ended'),
    created_at: time,
    finished_at: time,
    expires_at: time,
    links: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Batch' });

const WrongField = z.strictObject({ pointer: z.string().describe('a JSON pointer into the line'), message: z.string() });

/** A line of `GET /v1/batches/{id}/errors`, and of the answer to `POST /v1/batches`. */
export const BatchLineError = z
  .strictObject({
    line: z.int().describe('from 1; of a JSON body the place in `items`'),
    custom_id: z.string().nullable(),
    errors: z.array(WrongField),
  })
  .meta({ id: 'BatchLineError' });

/** A line of `GET /v1/batches/{id}/results`, and of `results_file`. */
export const BatchResult = z
  .strictObject({
    line: z.int().nullable(),
    custom_id: z.string().nullable(),
    job_id: z.string(),
    status: z.enum(TERMINAL),
    run: z.int(),
    result: JobResult.nullable(),
    error: JobError.nullable(),
    finished_at: time,
  })
  .meta({ id: 'BatchResult' });

/** The answer to `POST /v1/batches`. */
export const AcceptedBatch = Batch.extend({
  invalid: z
    .strictObject({
      count: count,
      errors: z.array(BatchLineError),
    })
    .describe('with `on_invalid=skip`: how many lines were left out, and the first 100 of them'),
  warnings: z
    .strictObject({
      count: count,
      lines: z.array(z.strictObject({ line: z.int(), custom_id: z.string(), warnings: z.array(Warning) })),
    })
    .optional()
    .describe('how many lines were accepted with a warning, and the first 100 of them'),
}).meta({ id: 'AcceptedBatch' });

/** The answer to `POST /v1/batches/{id}/retry-failed`. */
export const RetriedBatch = Batch.extend({
  retrying: count.describe('failed jobs that are run again'),
  left_out: count.describe('failed jobs whose lost submit may have made a task; `include_unknown` takes them too'),
  in_round: z.int().describe('the round in which they run'),
}).meta({ id: 'RetriedBatch' });
