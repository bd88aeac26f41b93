import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { BulkRequest } from '../../use-cases/bulk-order.ts';
import { AdminListQuery } from '../list-query.ts';
import { AuditQuery } from '../routes/admin-audit.ts';
import { BulksQuery, BulkTurnRequest } from '../routes/admin-bulk.ts';
import { FailuresQuery } from '../routes/admin-failures.ts';
import { RequeueRequest } from '../routes/admin-jobs.ts';
import { DeleteReason, KeyAnswer, KeyRequest, KeysQuery, KeyView } from '../routes/admin-keys.ts';
import { EntriesQuery, QueuePatch } from '../routes/admin-queues.ts';
import {
  abortedBulk,
  auditLine,
  bulkAction,
  bulkPreview,
  failedAdminJob,
  failures,
  jobDetail,
  keyExample,
  overview,
  page,
  queueEntry,
  queueExample,
  requeuedJob,
} from './admin-examples.ts';
import {
  AdminJob,
  AdminJobDetail,
  AuditLine,
  BulkAction,
  BulkPreview,
  FailureList,
  Overview,
  Queue,
  QueueEntry,
} from './admin-schemas.ts';
import { idempotencyKey, json, listOf, refusals } from './schemas.ts';

const always = ['unauthorized', 'forbidden', 'unavailable'] as const;
const ofBody = ['malformed_json', 'body_too_large', 'unsupported_media_type', 'invalid_request'] as const;
const oneJob = { path: z.object({ id: z.string().meta({ example: 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' }) }) };
const oneQueue = { path: z.object({ name: z.string().meta({ example: 'submit' }) }) };
const oneBulk = { path: z.object({ id: z.string().meta({ example: 'bulk_01K9ZV5W3N8Q2R4T6V8X0Z2B4D' }) }) };
const body = (schema: z.ZodType, ...[example, ...more]: readonly unknown[]) => ({
  required: true,
  content: {
    'application/json': {
      schema,
      examples: Object.fromEntries([example, ...more].map((value, index) => [`example ${index + 1}`, { value }])),
    },
  },
});

/** What operators do. Each change takes a reason, which stands in the audit log. */
export const adminPaths: ZodOpenApiPathsObject = {
  '/admin/v1/overview': {
    get: {
      operationId: 'getOverview',
      summary: 'How it goes: depths, rates, tasks in flight, memory, workers, pauses',
      responses: { '200': json(Overview, 'Numbers of this moment', overview), ...refusals(...always) },
    },
  },
  '/admin/v1/failures': {
    get: {
      operationId: 'listFailures',
      summary: 'Failed and expired jobs by what they have in common, the largest group first',
      description:
        'Jobs that are failed now: one that was run again counts no more. Up to 50 000 failures are counted in one answer, the newest first.',
      requestParams: { query: FailuresQuery },
      responses: {
        '200': json(FailureList, 'Groups of failures', failures),
        ...refusals('bad_request', 'invalid_request', ...always),
      },
    },
  },
  '/admin/v1/jobs': {
    get: {
      operationId: 'listAllJobs',
      summary: 'Jobs of all tenants, the newest first',
      description: 'The parameters of `GET /v1/jobs`, `tenant`, and `signature` of a group of failures.',
      requestParams: { query: AdminListQuery },
      responses: {
        '200': json(listOf(AdminJob), 'A page; `next_cursor` is null on the last one', page(failedAdminJob)),
        ...refusals('bad_request', 'invalid_request', ...always),
      },
    },
  },
  '/admin/v1/jobs/{id}': {
    get: {
      operationId: 'getAnyJob',
      summary: 'A job of any tenant with past runs, webhooks and a timeline',
      requestParams: oneJob,
      responses: { '200': json(AdminJobDetail, 'The job', jobDetail), ...refusals('not_found', ...always) },
    },
  },
  '/admin/v1/jobs/{id}/requeue': {
    post: {
      operationId: 'requeueJob',
      summary: 'Run a failed, expired or canceled job of any tenant again',
      description: 'By the rules of `POST /v1/jobs/{id}/retry`.',
      requestParams: oneJob,
      requestBody: body(
        RequeueRequest,
        { mode: 'resubmit', reason: 'upstream is well again' },
        { reason: 'the bucket is writable again' },
      ),
      responses: {
        '202': {
          ...json(AdminJob, 'Reopened: `run` is one more', requeuedJob),
          headers: z.object({
            Location: z.string().describe('where the job is'),
            'Retry-After': z.string().describe('seconds until it is worth asking again'),
          }),
        },
        ...refusals('not_found', 'conflict', ...ofBody, ...always),
      },
    },
  },
  '/admin/v1/queues': {
    get: {
      operationId: 'listQueues',
      summary: 'Queues with depth, pauses and concurrency',
      responses: { '200': json(listOf(Queue), 'All queues', page(queueExample)), ...refusals(...always) },
    },
  },
  '/admin/v1/queues/{name}': {
    patch: {
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
  },
  '/admin/v1/queues/{name}/entries': {
    get: {
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
  },
  '/admin/v1/keys': {
    post: {
      operationId: 'createKey',
      summary: 'Make an API key for a tenant',
      requestBody: body(
        KeyRequest,
        { tenant: 'acme', name: 'back end', scopes: ['jobs:read', 'jobs:write'] },
        {
          tenant: 'acme',
          name: 'audit',
          scopes: ['jobs:read'],
          expires_at: '2099-01-31T00:00:00Z',
          reason: 'the yearly look at the books',
        },
      ),
      responses: {
        '201': json(KeyAnswer, 'The key; its text is shown only here', {
          ...keyExample,
          key: 'gj_mZ3v0sJ9b1Q4x7Yt2Lk8Rw5Nc6Hf0PdAeUgIiVqSoT4',
        }),
        ...refusals(...ofBody, ...always),
      },
    },
    get: {
      operationId: 'listKeys',
      summary: 'API keys, the newest first, without their texts',
      requestParams: { query: KeysQuery },
      responses: {
        '200': json(listOf(KeyView), 'A page; `next_cursor` is null on the last one', page(keyExample)),
        ...refusals('bad_request', 'invalid_request', ...always),
      },
    },
  },
  '/admin/v1/keys/{id}': {
    delete: {
      operationId: 'deleteKey',
      summary: 'Revoke an API key: every process refuses it at once',
      description: 'The reason may come in a JSON body `{"reason": …}` instead.',
      requestParams: {
        path: z.object({ id: z.string().meta({ example: 'key_6f1d0c2b7d9a1e3344aa55cc' }) }),
        query: DeleteReason,
      },
      responses: { '204': { description: 'Revoked' }, ...refusals('not_found', ...ofBody, ...always) },
    },
  },
  '/admin/v1/bulk-actions': {
    post: {
      operationId: 'createBulkAction',
      summary: 'Requeue, cancel or redeliver many jobs',
      description:
        'Which jobs are meant is settled by the time of the request: what fails again afterwards is left alone, so each job is acted on once. The answer to a dry run tells what would be done, of up to 20 000 jobs.',
      requestParams: {
        header: z.object({
          'Idempotency-Key': idempotencyKey(
            'incident-17',
            'the same key and body make one bulk action, for 30 days after its end',
          ),
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
          reason: 'how many is it?',
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
    get: {
      operationId: 'listBulkActions',
      summary: 'Bulk actions, the newest first',
      requestParams: { query: BulksQuery },
      responses: {
        '200': json(listOf(BulkAction), 'A page; `next_cursor` is null on the last one', page(bulkAction)),
        ...refusals('bad_request', 'invalid_request', ...always),
      },
    },
  },
  '/admin/v1/bulk-actions/{id}': {
    get: {
      operationId: 'getBulkAction',
      summary: 'How far a bulk action is',
      requestParams: oneBulk,
      responses: { '200': json(BulkAction, 'The bulk action', bulkAction), ...refusals('not_found', ...always) },
    },
  },
  '/admin/v1/bulk-actions/{id}/abort': {
    post: {
      operationId: 'abortBulkAction',
      summary: 'Stop a bulk action; what it has done stays done',
      requestParams: oneBulk,
      requestBody: body(BulkTurnRequest, { reason: 'the wrong group' }),
      responses: {
        '200': json(BulkAction, 'Aborted', abortedBulk),
        ...refusals('not_found', 'conflict', ...ofBody, ...always),
      },
    },
  },
  '/admin/v1/bulk-actions/{id}/resume': {
    post: {
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
  },
  '/admin/v1/audit': {
    get: {
      operationId: 'listAudit',
      summary: 'What operators did and why, the newest first',
      requestParams: { query: AuditQuery },
      responses: {
        '200': json(listOf(AuditLine), 'A page; `next_cursor` is null on the last one', page(auditLine)),
        ...refusals('invalid_request', ...always),
      },
    },
  },
};
