import { type BatchDoc, BatchWebhook, ExpiresInS, LIMITS, Metadata, Priority } from '@grsai-jobs/jobs';
import { z } from 'zod';
import { METADATA, single } from '../../http/list-query.ts';
import { invalid } from '../../http/validate.ts';
import { batchDoc, type OnInvalid } from '../../use-cases/create-batch.ts';
import { type FieldError, tryValidate } from '../../validation/validate.ts';

const OnInvalidSchema = z
  .enum(['reject', 'skip'] satisfies OnInvalid[])
  .default('reject')
  .meta({ example: 'skip' })
  .describe('what a bad line does: nothing is accepted, or the others are');

/** The query of `POST /v1/batches` with a JSON body. */
const FormQuery = z.strictObject({ on_invalid: OnInvalidSchema });

/** The query of `POST /v1/batches`: for a body of lines it also has the batch's own fields, beside `metadata.<key>`. */
export const BatchQuery = z.strictObject({
  on_invalid: OnInvalidSchema,
  webhook_url: BatchWebhook.shape.url
    .optional()
    .meta({ example: 'https://caller.example/hooks' })
    .describe('lines only: where the batch reports its end'),
  webhook_events: z
    .string()
    .transform((text) => text.split(','))
    .pipe(BatchWebhook.shape.events.unwrap())
    .optional()
    .meta({ example: 'batch.completed,job.failed' })
    .describe('lines only: comma-separated types of batches and jobs; all of batches when it is left out'),
  priority: Priority.optional().meta({ example: 'low' }).describe('lines only: of items that name none'),
  expires_in_s: z
    .string()
    .regex(/^\d{1,6}$/, `must be a number from ${LIMITS.expiresInS.min} to ${LIMITS.expiresInS.max}`)
    .transform(Number)
    .pipe(ExpiresInS)
    .optional()
    .meta({ example: '7200' })
    .describe('lines only: of items that name none'),
});

type Query = Readonly<Record<string, unknown>>;

/** @throws Problem with a pointer (`/name`) for each parameter that a JSON body does not go with. */
export const formQuery = (query: Query): z.output<typeof FormQuery> => checked(FormQuery, Object.fromEntries(single(query)));

/** @throws Problem with a pointer (`/name`) for each wrong parameter. */
export function linesQuery(query: Query): { onInvalid: OnInvalid; doc: BatchDoc } {
  const given = single(query);
  const own = checked(BatchQuery, Object.fromEntries(given.filter(([name]) => !name.startsWith(METADATA))));
  const pairs = given.filter(([name]) => name.startsWith(METADATA));
  const metadata = tryValidate(Metadata, Object.fromEntries(pairs.map(([name, value]) => [name.slice(METADATA.length), value])));
  if ('errors' in metadata)
    throw invalid(metadata.errors.map(({ pointer, message }) => ({ pointer: `/metadata${pointer.replace('/', '.')}`, message })));
  if (own.webhook_events !== undefined && own.webhook_url === undefined)
    throw invalid([{ pointer: '/webhook_events', message: 'needs a webhook_url' }]);
  const webhook =
    own.webhook_url === undefined
      ? undefined
      : BatchWebhook.parse({ url: own.webhook_url, ...(own.webhook_events ? { events: own.webhook_events } : {}) });
  return {
    onInvalid: own.on_invalid,
    doc: batchDoc({
      webhook,
      metadata: metadata.data,
      priority: own.priority,
      expires_in_s: own.expires_in_s,
    }),
  };
}

function checked<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = tryValidate(schema, value);
  if ('data' in result) return result.data;
  // `/webhook_events/0` names a place that a query does not have.
  throw invalid(
    result.errors.map((error): FieldError => ({ ...error, pointer: error.pointer.replace(/(?<=^\/[^/]+)\/.*/, '') })),
  );
}
