import { createHash } from 'node:crypto';
import { BULK_OPERATION, type BulkAction as BulkRecord, type JobStore } from '@grsai-jobs/job-store';
import type { Clock } from '@grsai-jobs/runtime';
import { ulid } from 'ulid';
import { z } from 'zod';
import type { Audited } from '../../http/audited.ts';
import { principalOf } from '../../http/auth.ts';
import { jsonBody } from '../../http/body.ts';
import { PageQuery, readCursor, single, writeCursor } from '../../http/list-query.ts';
import { idempotencyKey, json, listOf, refusals } from '../../http/openapi/answers.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { invalid, validate, validateBody } from '../../http/validate.ts';
import { BulkRequest, bulkOrder } from '../../use-cases/bulk-order.ts';
import type { PreviewBulk } from '../../use-cases/bulk-preview.ts';
import { bulkView, previewView } from '../../use-cases/bulk-view.ts';
import type { NudgeOperations } from '../../use-cases/nudge-operations.ts';
import { Reason } from '../../validation/fields.ts';
import { abortedBulk, bulkAction, bulkPreview, page } from './examples.ts';
import { always, body, ofBody } from './operation.ts';
import { BulkAction, BulkPreview } from './schemas.ts';

/** What is done to many jobs: the worker does it behind the 202, at the rate that was asked for. */

const BODY = 128 * 1024;
const KEY = /^[\x21-\x7e]{1,255}$/;

const BulksQuery = z.strictObject({ ...PageQuery });

/** The body of abort and resume. */
const BulkTurnRequest = z.strictObject({ reason: Reason });

/** One id for one Idempotency-Key of one API key, so that the second request finds what the first made. */
function idOf(header: string | string[] | undefined, keyId: string): string {
  if (header === undefined) return `bulk_${ulid()}`;
  if (typeof header !== 'string' || !KEY.test(header))
    throw new Problem('bad_request', 'The Idempotency-Key must have 1 to 255 visible ASCII characters.');
  return `bulk_${createHash('sha256').update(`${keyId} ${header}`).digest('hex').slice(0, 26)}`;
}

const keyReused = () => new Problem('idempotency_key_reused', 'This Idempotency-Key was used for a request with another body.');

const oneBulk = { path: z.object({ id: z.string().meta({ example: 'bulk_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' }) }) };

async function known(bulk: Pick<JobStore['bulk'], 'read'>, id: string): Promise<BulkRecord> {
  const action = await bulk.read(id);
  if (action === null) throw new Problem('not_found', 'There is no bulk action with this id; they are kept for 30 days.');
  return action;
}

/** The operation is written before what it is about, so that nothing waits for a worker that does not know of it. */
const operationOf = (id: string, at: number) => ({ kind: BULK_OPERATION, subject: id, order: { id }, at });

interface CreateBulkDeps {
  bulk: Pick<JobStore['bulk'], 'read' | 'create'>;
  operations: Pick<JobStore['operations'], 'add'>;
  nudge: NudgeOperations;
  previewBulk: PreviewBulk;
  audited: Audited;
  clock: Clock;
}

export const createBulkAction = route({
  method: 'post',
  path: '/admin/v1/bulk-actions',
  scope: 'admin:write',
  operation: {
    operationId: 'createBulkAction',
    summary: 'Requeue, cancel or redeliver many jobs',
    description:
      'Which jobs are meant is settled by the time of the request: what fails again afterwards is left alone, so each job is acted on once. The answer to a dry run says what would be done, of up to 20 000 jobs.',
    requestParams: {
      header: z.object({
        'Idempotency-Key': idempotencyKey('incident-17', 'the same key and body make one bulk action, for 30 days after its end'),
      }),
    },
    requestBody: body(
      BulkRequest,
      {
        action: 'requeue',
        filter: { signature: 'sig_5f0c2b7d9a1e3344', created_after: '2026-11-23T00:00:00Z' },
        rate_per_min: 600,
        reason: 'upstream is well again',
      },
      {
        action: 'requeue',
        filter: { status: ['failed', 'expired'], tenant: 'acme' },
        dry_run: true,
      },
      { action: 'cancel', ids: ['job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D'], reason: 'asked by its tenant' },
      {
        action: 'redeliver',
        filter: { tenant: 'acme', type: 'image', model: 'nano-banana-2', metadata: { order: 'A-17' } },
        reason: 'their receiver was down',
      },
    ),
    responses: {
      '200': json(BulkPreview, 'A dry run: what would be done', bulkPreview),
      '202': {
        ...json(BulkAction, 'A worker does it from now on', bulkAction),
        headers: z.object({
          Location: z.string().describe('where the bulk action is'),
          'Retry-After': z.string().describe('seconds until it is worth asking again'),
          'Idempotent-Replayed': z.string().optional().describe('true: it was made by an earlier request'),
        }),
      },
      ...refusals('bad_request', 'idempotency_key_reused', ...ofBody, ...always),
    },
  },
  handlers: (o: CreateBulkDeps) => [
    ...jsonBody(BODY),
    async (request, response) => {
      const wanted = validateBody(BulkRequest, request.body);
      const now = o.clock.now();
      const asked = bulkOrder(wanted, principalOf(response), now);
      if (asked.kind === 'invalid') throw invalid(asked.errors);
      const { order } = asked;
      if (wanted.dry_run) {
        response.json(previewView(order.action, await o.previewBulk(order)));
        return;
      }
      const id = idOf(request.headers['idempotency-key'], order.key_id);
      const before = await o.bulk.read(id);
      if (before !== null && before.fingerprint !== order.fingerprint) throw keyReused();
      if (before === null)
        await o.audited(response, { action: 'bulk.start', target: id, reason: order.reason }, async () => {
          await o.operations.add(operationOf(id, o.clock.now()));
          if (!(await o.bulk.create(id, order, now)) && (await known(o.bulk, id)).fingerprint !== order.fingerprint)
            throw keyReused();
          return { result: undefined, detail: `${order.action}, ${order.rate_per_min} in a minute` };
        });
      o.nudge();
      if (before !== null) response.set('Idempotent-Replayed', 'true');
      response
        .status(202)
        .set({ Location: `/admin/v1/bulk-actions/${id}`, 'Retry-After': '2' })
        .json(bulkView(before ?? (await known(o.bulk, id)), o.clock.now()));
    },
  ],
});

export const listBulkActions = route({
  method: 'get',
  path: '/admin/v1/bulk-actions',
  scope: 'admin:read',
  operation: {
    operationId: 'listBulkActions',
    summary: 'Bulk actions, the newest first',
    requestParams: { query: BulksQuery },
    responses: {
      '200': json(listOf(BulkAction), 'A page; `next_cursor` is null on the last one', page(bulkAction)),
      ...refusals('bad_request', 'invalid_request', ...always),
    },
  },
  handlers: (o: { bulk: Pick<JobStore['bulk'], 'page'>; clock: Clock }) => [
    async (request, response) => {
      const { limit, cursor } = validate(BulksQuery, Object.fromEntries(single(request.query)));
      const { actions, next } = await o.bulk.page({ after: cursor === undefined ? null : readCursor(cursor), limit });
      const now = o.clock.now();
      response.json({ object: 'list', data: actions.map((each) => bulkView(each, now)), next_cursor: writeCursor(next) });
    },
  ],
});

export const readBulkAction = route({
  method: 'get',
  path: '/admin/v1/bulk-actions/{id}',
  scope: 'admin:read',
  operation: {
    operationId: 'getBulkAction',
    summary: 'How far a bulk action is',
    requestParams: oneBulk,
    responses: { '200': json(BulkAction, 'The bulk action', bulkAction), ...refusals('not_found', ...always) },
  },
  handlers: (o: { bulk: Pick<JobStore['bulk'], 'read'>; clock: Clock }) => [
    async (request, response) => {
      const action = await known(o.bulk, request.params.id);
      if (action.status === 'running') response.set('Retry-After', '2');
      response.json(bulkView(action, o.clock.now()));
    },
  ],
});

export const abortBulkAction = route({
  method: 'post',
  path: '/admin/v1/bulk-actions/{id}/abort',
  scope: 'admin:write',
  operation: {
    operationId: 'abortBulkAction',
    summary: 'Stop a bulk action; what it has done stays done',
    requestParams: oneBulk,
    requestBody: body(BulkTurnRequest, { reason: 'the wrong group' }),
    responses: {
      '200': json(BulkAction, 'Aborted', abortedBulk),
      ...refusals('not_found', 'conflict', ...ofBody, ...always),
    },
  },
  handlers: (o: { bulk: Pick<JobStore['bulk'], 'read' | 'abort'>; audited: Audited; clock: Clock }) => [
    ...jsonBody(BODY),
    async (request, response) => {
      const { reason } = validateBody(BulkTurnRequest, request.body);
      const { id } = await known(o.bulk, request.params.id);
      await o.audited(response, { action: 'bulk.abort', target: id, reason }, async () => {
        const aborted = await o.bulk.abort(id, o.clock.now());
        const { status, done, matched } = await known(o.bulk, id);
        if (!aborted && status !== 'aborted')
          throw new Problem('conflict', `The bulk action is ${status}; there is nothing to abort.`);
        return { result: undefined, detail: `after ${done} of ${matched}` };
      });
      response.json(bulkView(await known(o.bulk, id), o.clock.now()));
    },
  ],
});

interface ResumeBulkDeps {
  bulk: Pick<JobStore['bulk'], 'read' | 'resume'>;
  operations: Pick<JobStore['operations'], 'add' | 'addAgain'>;
  nudge: NudgeOperations;
  audited: Audited;
  clock: Clock;
}

export const resumeBulkAction = route({
  method: 'post',
  path: '/admin/v1/bulk-actions/{id}/resume',
  scope: 'admin:write',
  operation: {
    operationId: 'resumeBulkAction',
    summary: 'Go on with an aborted bulk action where it stood',
    requestParams: oneBulk,
    requestBody: body(BulkTurnRequest, { reason: 'it was the right group' }),
    responses: {
      '202': {
        ...json(BulkAction, 'It goes on', bulkAction),
        headers: z.object({
          Location: z.string().describe('where the bulk action is'),
          'Retry-After': z.string().describe('seconds until it is worth asking again'),
        }),
      },
      ...refusals('not_found', 'conflict', ...ofBody, ...always),
    },
  },
  handlers: (o: ResumeBulkDeps) => [
    ...jsonBody(BODY),
    async (request, response) => {
      const { reason } = validateBody(BulkTurnRequest, request.body);
      const { id } = await known(o.bulk, request.params.id);
      await o.audited(response, { action: 'bulk.resume', target: id, reason }, async () => {
        const resumed = await o.bulk.resume(id, o.clock.now());
        const { status, done, matched } = await known(o.bulk, id);
        if (!resumed && status !== 'running')
          throw new Problem('conflict', `The bulk action is ${status}; there is nothing to go on with.`);
        // A worker that has just seen that it was aborted must not end the operation; one that runs gets a new one if it has none.
        await (resumed
          ? o.operations.addAgain(operationOf(id, o.clock.now()))
          : o.operations.add(operationOf(id, o.clock.now())));
        return { result: undefined, detail: `after ${done} of ${matched}` };
      });
      o.nudge();
      response
        .status(202)
        .set({ Location: `/admin/v1/bulk-actions/${id}`, 'Retry-After': '2' })
        .json(bulkView(await known(o.bulk, id), o.clock.now()));
    },
  ],
});
