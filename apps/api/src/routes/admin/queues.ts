import type { JobStore, QueueChange } from '@grsai-jobs/job-store';
import { LIMITS, type QueueEntryView, rfc3339 } from '@grsai-jobs/jobs';
import { ENTRY_STATES, type EntryListState, type ListedEntry, type Producer } from '@grsai-jobs/queue';
import { z } from 'zod';
import type { Audited } from '../../http/audited.ts';
import { principalOf } from '../../http/auth.ts';
import type { BlankSecrets } from '../../http/blank-secrets.ts';
import { jsonBody, SMALL_BODY } from '../../http/body.ts';
import { PageQuery, single } from '../../http/list-query.ts';
import { json, listOf, refusals } from '../../http/openapi/answers.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { invalid, validate } from '../../http/validate.ts';
import type { NudgeOperations } from '../../use-cases/nudge-operations.ts';
import { isQueue, type QueueStates } from '../../use-cases/queue-states.ts';
import { Reason } from '../../validation/fields.ts';
import { page, queueEntry, queueExample } from './examples.ts';
import { always, body, ofBody } from './operation.ts';
import { Queue, QueueEntry } from './schemas.ts';

/** Queues, what stands in them, and what operators change of them while they run. */

/** The body of `PATCH /admin/v1/queues/{name}`. */
const QueuePatch = z
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
const EntriesQuery = z.strictObject({
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

const oneQueue = { path: z.object({ name: z.string().meta({ example: 'submit' }) }) };

interface ChangeQueueDeps {
  queueStates: QueueStates;
  queueSettings: Pick<JobStore['queueSettings'], 'change'>;
  brakes: Pick<JobStore['brakes'], 'open'>;
  nudge: NudgeOperations;
  audited: Audited;
}

export const listQueues = route({
  method: 'get',
  path: '/admin/v1/queues',
  scope: 'admin:read',
  operation: {
    operationId: 'listQueues',
    summary: 'Queues with depth, pauses and concurrency',
    responses: { '200': json(listOf(Queue), 'All queues', page(queueExample)), ...refusals(...always) },
  },
  handlers: (o: { queueStates: QueueStates }) => [
    async (_request, response) => {
      response.json({ object: 'list', data: await o.queueStates(), next_cursor: null });
    },
  ],
});

export const listQueueEntries = route({
  method: 'get',
  path: '/admin/v1/queues/{name}/entries',
  scope: 'admin:read',
  operation: {
    operationId: 'listQueueEntries',
    summary: 'What stands in a queue',
    description:
      'Waiting and delayed entries in the order in which they will be taken, failed ones from the newest. The queue moves on between two pages, so an entry may be on both or on neither. An entry holds ids, and nothing that a caller sent.',
    requestParams: { ...oneQueue, query: EntriesQuery },
    responses: {
      '200': json(listOf(QueueEntry), 'A page; `next_cursor` is null on the last one', page(queueEntry)),
      ...refusals('not_found', 'invalid_request', ...always),
    },
  },
  handlers: (o: { producer: Pick<Producer, 'list'>; blank: BlankSecrets }) => [
    async (request, response) => {
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
  ],
});

export const changeQueue = route({
  method: 'patch',
  path: '/admin/v1/queues/{name}',
  scope: 'admin:write',
  operation: {
    operationId: 'changeQueue',
    summary: 'Pause a queue, or change how much of it each worker takes at once',
    description: 'Workers follow within seconds, and those that start later from their start. `maintain` always runs.',
    requestParams: oneQueue,
    requestBody: body(
      QueuePatch,
      { paused: true, reason: 'the account moves to another key' },
      { paused: false, concurrency: 20, reason: 'it has moved' },
      { open_refusals: 'nano-banana-2', reason: 'upstream says that it is well' },
    ),
    responses: { '200': json(Queue, 'The queue', queueExample), ...refusals('not_found', ...ofBody, ...always) },
  },
  handlers: (o: ChangeQueueDeps) => [
    ...jsonBody(SMALL_BODY),
    async (request, response) => {
      const { name } = request.params;
      if (!isQueue(name)) throw noSuchQueue();
      const asked = validate(QueuePatch, request.body);
      if (name === 'maintain')
        throw invalid([
          {
            pointer: '/paused',
            message: 'maintain finds lost jobs and pending deliveries, and probes what is paused: it always runs',
          },
        ]);
      const { open_refusals } = asked;
      if (open_refusals !== undefined && !CAN_BE_REFUSED.includes(name))
        throw invalid([{ pointer: '/open_refusals', message: `only ${CAN_BE_REFUSED.join(' and ')} wait for refusals` }]);
      const change: QueueChange = {
        ...(asked.paused === undefined ? {} : { paused: asked.paused ? `${principalOf(response).name}: ${asked.reason}` : null }),
        ...(asked.concurrency === undefined ? {} : { concurrency: asked.concurrency }),
      };
      await o.audited(response, { action: 'queue.change', target: name, reason: asked.reason }, async () => {
        if (Object.keys(change).length > 0) await o.queueSettings.change(name, change);
        if (open_refusals !== undefined) {
          await o.brakes.open(name, open_refusals === '*' ? null : open_refusals);
          // Without this those who wait are woken within a second.
          o.nudge();
        }
        return { result: undefined, detail: described(asked) };
      });
      response.json((await o.queueStates()).find((queue) => queue.name === name));
    },
  ],
});
