import { createHash } from 'node:crypto';
import { BULK_OPERATION, type BulkAction, type JobStore } from '@grsai-jobs/job-store';
import type { Clock } from '@grsai-jobs/runtime';
import { type Request, Router } from 'express';
import { ulid } from 'ulid';
import { z } from 'zod';
import { BulkRequest, bulkOrder } from '../../use-cases/bulk-order.ts';
import type { PreviewBulk } from '../../use-cases/bulk-preview.ts';
import { bulkView, previewView } from '../../use-cases/bulk-view.ts';
import type { NudgeOperations } from '../../use-cases/nudge-operations.ts';
import { Reason } from '../../validation/fields.ts';
import type { Audited } from '../audited.ts';
import { type Auth, principalOf } from '../auth.ts';
import { jsonBody } from '../body.ts';
import { cursorOf, placeOf } from '../cursor.ts';
import { PageQuery, single } from '../list-query.ts';
import { Problem } from '../problem.ts';
import { invalid, validate, validateBody } from '../validate.ts';

const BODY = 128 * 1024;
const KEY = /^[\x21-\x7e]{1,255}$/;

export const BulksQuery = z.strictObject({ ...PageQuery });

/** The body of abort and resume. */
export const BulkTurnRequest = z.strictObject({ reason: Reason });

/** One id for one Idempotency-Key of one API key, so that the second request finds what the first made. */
function idOf(header: string | string[] | undefined, keyId: string): string {
  if (header === undefined) return `bulk_${ulid()}`;
  if (typeof header !== 'string' || !KEY.test(header))
    throw new Problem('bad_request', 'The Idempotency-Key must have 1 to 255 visible ASCII characters.');
  return `bulk_${createHash('sha256').update(`${keyId} ${header}`).digest('hex').slice(0, 26)}`;
}

const keyReused = () => new Problem('idempotency_key_reused', 'This Idempotency-Key was used for a request with another body.');

/** What is done to many jobs: the worker does it behind the 202, at the rate that was asked for. */
export function adminBulkRoutes(o: {
  auth: Auth;
  store: Pick<JobStore, 'bulk' | 'operations'>;
  nudge: NudgeOperations;
  preview: PreviewBulk;
  audited: Audited;
  clock: Clock;
}): Router {
  const router = Router();
  const read = o.auth.requireScope('admin:read');
  const write = o.auth.requireScope('admin:write');

  async function known(id: string): Promise<BulkAction> {
    const action = await o.store.bulk.read(id);
    if (action === null) throw new Problem('not_found', 'There is no bulk action with this id; they are kept for 30 days.');
    return action;
  }

  /** The operation is written before what it is about, so that nothing waits for a worker that was never told. */
  const workOf = (id: string) => ({ kind: BULK_OPERATION, subject: id, order: { id }, at: o.clock.now() });
  router.post('/admin/v1/bulk-actions', write, ...jsonBody(BODY), async (request, response) => {
    const body = validateBody(BulkRequest, request.body);
    const now = o.clock.now();
    const asked = bulkOrder(body, principalOf(response), now);
    if (asked.kind === 'invalid') throw invalid(asked.errors);
    const { order } = asked;
    if (body.dry_run) {
      response.json(previewView(order.action, await o.preview(order)));
      return;
    }
    const id = idOf(request.headers['idempotency-key'], order.key_id);
    const before = await o.store.bulk.read(id);
    if (before !== null && before.fingerprint !== order.fingerprint) throw keyReused();
    if (before === null)
      await o.audited(response, { action: 'bulk.start', target: id, reason: order.reason }, async () => {
        await o.store.operations.add(workOf(id));
        if (!(await o.store.bulk.create(id, order, now)) && (await known(id)).fingerprint !== order.fingerprint)
          throw keyReused();
        return { result: undefined, detail: `${order.action}, ${order.rate_per_min} in a minute` };
      });
    o.nudge();
    if (before !== null) response.set('Idempotent-Replayed', 'true');
    response
      .status(202)
      .set({ Location: `/admin/v1/bulk-actions/${id}`, 'Retry-After': '2' })
      .json(bulkView(before ?? (await known(id)), o.clock.now()));
  });

  router.get('/admin/v1/bulk-actions', read, async (request, response) => {
    const { limit, cursor } = validate(BulksQuery, Object.fromEntries(single(request.query)));
    const { actions, next } = await o.store.bulk.page({ after: cursor === undefined ? null : placeOf(cursor), limit });
    const now = o.clock.now();
    response.json({ object: 'list', data: actions.map((each) => bulkView(each, now)), next_cursor: cursorOf(next) });
  });

  router.get('/admin/v1/bulk-actions/:id', read, async (request: Request<{ id: string }>, response) => {
    const action = await known(request.params.id);
    if (action.status === 'running') response.set('Retry-After', '2');
    response.json(bulkView(action, o.clock.now()));
  });

  router.post(
    '/admin/v1/bulk-actions/:id/abort',
    write,
    ...jsonBody<{ id: string }>(BODY),
    async (request: Request<{ id: string }>, response) => {
      const { reason } = validateBody(BulkTurnRequest, request.body);
      const { id } = await known(request.params.id);
      await o.audited(response, { action: 'bulk.abort', target: id, reason }, async () => {
        const aborted = await o.store.bulk.abort(id, o.clock.now());
        const { status, done, matched } = await known(id);
        if (!aborted && status !== 'aborted')
          throw new Problem('conflict', `The bulk action is ${status}; there is nothing to abort.`);
        return { result: undefined, detail: `after ${done} of ${matched}` };
      });
      response.json(bulkView(await known(id), o.clock.now()));
    },
  );

  router.post(
    '/admin/v1/bulk-actions/:id/resume',
    write,
    ...jsonBody<{ id: string }>(BODY),
    async (request: Request<{ id: string }>, response) => {
      const { reason } = validateBody(BulkTurnRequest, request.body);
      const { id } = await known(request.params.id);
      await o.audited(response, { action: 'bulk.resume', target: id, reason }, async () => {
        const resumed = await o.store.bulk.resume(id, o.clock.now());
        const { status, done, matched } = await known(id);
        if (!resumed && status !== 'running')
          throw new Problem('conflict', `The bulk action is ${status}; there is nothing to go on with.`);
        // A worker that has just seen that it was aborted must not end the operation; one that runs gets a new one if it has none.
        await (resumed ? o.store.operations.addAgain(workOf(id)) : o.store.operations.add(workOf(id)));
        return { result: undefined, detail: `after ${done} of ${matched}` };
      });
      o.nudge();
      response
        .status(202)
        .set({ Location: `/admin/v1/bulk-actions/${id}`, 'Retry-After': '2' })
        .json(bulkView(await known(id), o.clock.now()));
    },
  );

  return router;
}
