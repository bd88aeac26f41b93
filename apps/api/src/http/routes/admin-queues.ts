import type { JobStore, QueueChange } from '@grsai-jobs/job-store';
import { LIMITS, type QueueEntryView, rfc3339 } from '@grsai-jobs/jobs';
import { ENTRY_STATES, type EntryListState, type ListedEntry, type Producer } from '@grsai-jobs/queue';
import type { Clock } from '@grsai-jobs/runtime';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { isQueue, queueStates } from '../../use-cases/queue-states.ts';
import { Reason } from '../../validation/fields.ts';
import type { Audited } from '../audited.ts';
import { type Auth, principalOf } from '../auth.ts';
import type { BlankSecrets } from '../blank-secrets.ts';
import { jsonBody } from '../body.ts';
import { PageQuery, single } from '../list-query.ts';
import { Problem } from '../problem.ts';
import { invalid, validate } from '../validate.ts';

const SMALL_BODY = 16 * 1024;

/** The body of `PATCH /admin/v1/queues/{name}`. */
export const QueuePatch = z
  .strictObject({
    paused: z.boolean().optional().describe('true stops the queue for the reason `operator`; false takes only that back'),
    concurrency: z
      .int()
      .min(1)
      .max(10_000)
      .nullable()
      .optional()
      .describe('entries at once in each worker process; null: as each is configured'),
    open_refusals: z
      .string()
      .min(1)
      .max(LIMITS.model)
      .optional()
      .describe(
        'a model, or `*` for all: takes back the pause `upstream_refusal`; its jobs go on at once, and refusals are counted anew',
      ),
    reason: Reason,
  })
  .refine(
    ({ paused, concurrency, open_refusals }) => paused !== undefined || concurrency !== undefined || open_refusals !== undefined,
    'say paused, concurrency, open_refusals, or more than one',
  );

/** The query of `GET /admin/v1/queues/{name}/entries`. */
export const EntriesQuery = z.strictObject({
  state: z
    .enum(ENTRY_STATES)
    .default('waiting')
    .meta({ param: { example: 'delayed' } })
    .describe('waiting: those that a free worker takes next, also while the queue is paused'),
  limit: PageQuery.limit,
  cursor: z
    .string()
    .regex(/^\d{1,9}$/, 'take it from next_cursor of the page before, as it is')
    .optional()
    .meta({ param: { example: '20' } })
    .describe('next_cursor of the page before'),
});

const entryView = (entry: ListedEntry, state: EntryListState, blank: BlankSecrets): QueueEntryView => ({
  ...entry,
  object: 'queue_entry',
  state,
  added_at: rfc3339(entry.added_at),
  due_at: entry.due_at === null ? null : rfc3339(entry.due_at),
  failure: entry.failure === null ? null : blank(entry.failure),
});

const noSuchQueue = () => new Problem('not_found', 'There is no queue with this name. GET /admin/v1/queues lists them.');

/** Queues whose jobs upstream can refuse. */
const CAN_BE_REFUSED: readonly string[] = ['call', 'submit'];

const described = ({ paused, concurrency, open_refusals }: z.output<typeof QueuePatch>): string =>
  [
    ...(paused === undefined ? [] : [paused ? 'paused' : 'resumed']),
    ...(concurrency === undefined ? [] : [`concurrency ${concurrency ?? 'as configured'}`]),
    ...(open_refusals === undefined ? [] : [`refusals of ${open_refusals === '*' ? 'all models' : open_refusals} opened`]),
  ].join(', ');

/** Queues, what stands in them, and what operators change of them while they run. */
export function adminQueueRoutes(o: {
  auth: Auth;
  store: Pick<JobStore, 'pauses' | 'queueSettings' | 'workers' | 'brakes'>;
  producer: Producer;
  audited: Audited;
  blank: BlankSecrets;
  clock: Clock;
}): Router {
  const router = Router();

  router.get('/admin/v1/queues', o.auth.requireScope('admin:read'), async (_request, response) => {
    response.json({ object: 'list', data: await queueStates(o), next_cursor: null });
  });

  router.get(
    '/admin/v1/queues/:name/entries',
    o.auth.requireScope('admin:read'),
    async (request: Request<{ name: string }>, response) => {
      const { name } = request.params;
      if (!isQueue(name)) throw noSuchQueue();
      const { state, limit, cursor } = validate(EntriesQuery, Object.fromEntries(single(request.query)));
      const { entries, next } = await o.producer.list(name, { state, from: Number(cursor ?? 0), limit });
      response.json({
        object: 'list',
        data: entries.map((entry) => entryView(entry, state, o.blank)),
        next_cursor: next === null ? null : String(next),
      });
    },
  );

  router.patch(
    '/admin/v1/queues/:name',
    o.auth.requireScope('admin:write'),
    ...jsonBody<{ name: string }>(SMALL_BODY),
    async (request: Request<{ name: string }>, response) => {
      const { name } = request.params;
      if (!isQueue(name)) throw noSuchQueue();
      const body = validate(QueuePatch, request.body);
      if (name === 'maintain')
        throw invalid([
          { pointer: '/paused', message: 'maintain finds lost jobs and owed webhooks and probes what is paused: it always runs' },
        ]);
      const { open_refusals } = body;
      if (open_refusals !== undefined && !CAN_BE_REFUSED.includes(name))
        throw invalid([{ pointer: '/open_refusals', message: `only ${CAN_BE_REFUSED.join(' and ')} wait for refusals` }]);
      const change: QueueChange = {
        ...(body.paused === undefined ? {} : { paused: body.paused ? `${principalOf(response).name}: ${body.reason}` : null }),
        ...(body.concurrency === undefined ? {} : { concurrency: body.concurrency }),
      };
      await o.audited(response, { action: 'queue.change', target: name, reason: body.reason }, async () => {
        if (Object.keys(change).length > 0) await o.store.queueSettings.change(name, change);
        if (open_refusals !== undefined) {
          await o.store.brakes.open(name, open_refusals === '*' ? null : open_refusals);
          // Without this those who wait are woken within a second.
          await o.producer.nudgeOperations().catch(() => undefined);
        }
        return { result: undefined, detail: described(body) };
      });
      response.json((await queueStates(o)).find((queue) => queue.name === name));
    },
  );
  return router;
}
