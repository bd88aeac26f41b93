import type { BatchRecord, Job, JobRequest } from '@grsai-jobs/jobs';
import { createAsking } from './asking.ts';
import { batchDocOf } from './batch-doc.ts';
import { type Order, orderNameOf } from './orders.ts';
import type { UseCases } from './service.ts';
import type { World } from './world.ts';

/** Answers that a job is being changed, 2 to 3 s apart. */
const MOST_BUSY = 3;

/** A batch as its caller sent it. */
export interface SentBatch {
  readonly name: string;
  readonly tenant: string;
  readonly orders: readonly Order[];
  id: string | null;
  canceled: boolean;
}

/**
 * Callers send what they want until they know that it was accepted, each time with the same Idempotency-Key, and may cancel or retry it
 * later. They know nothing but what the API answers.
 */
export function createCallers(world: World) {
  const random = world.random.fork('callers');
  const { once, until, wait } = createAsking(world, random);

  const sender = (order: Order, request: JobRequest) => ({
    tenant: order.tenant,
    keyId: 'key_1',
    requestId: `req-${order.name}`,
    body: request,
    idempotencyKey: `key-${order.name}`,
  });

  function accepted(order: Order, id: string): void {
    if (order.jobId !== null && order.jobId !== id)
      world.violation(`one Idempotency-Key made two jobs: ${order.jobId}, ${id}`, order.name);
    if (order.jobId === null) world.story(order.name, 'accepted', { job: id });
    order.jobId = id;
  }

  async function place(order: Order): Promise<void> {
    world.story(order.name, 'sent', { type: order.request.type });
    const send = async (use: UseCases) => {
      const answer = await use.createJob(order.request, sender(order, order.request));
      if (answer.kind !== 'accepted') return undefined;
      accepted(order, answer.record.id);
      return true;
    };
    await until(order.name, send);
    if (random.chance(world.plan.resends)) await sendAgain(order.name, send);
    if (random.chance(world.plan.cancels)) await cancelLater(order);
    if (random.chance(world.plan.retries)) await retryLater(order);
    if (random.chance(world.plan.deletes)) await deleteLater(order);
  }

  /** The caller has forgotten that it was accepted, or was never sure. */
  async function sendAgain(name: string, send: (use: UseCases) => Promise<unknown>): Promise<void> {
    await wait(random.whole(0, 5000));
    world.story(name, 'sent again');
    await once(send).catch(() => undefined);
  }

  async function deleteLater(order: Order): Promise<void> {
    await wait(random.whole(5000, 90_000));
    const answer = await once((use) => {
      order.mayBeDeleted = true;
      return use.deleteJob(order.jobId ?? '', order.tenant);
    }).catch((error: unknown) => ({ kind: String(error) }));
    world.story(order.name, 'delete answered', answer);
    if (answer.kind === 'deleted') order.isDeleted = true;
  }

  async function cancelLater(order: Order): Promise<void> {
    await wait(random.whole(0, 15_000));
    order.canceled = true;
    let busy = 0;
    await until(order.name, async (use, api) => {
      const job = await api.store.jobs.read(order.jobId ?? '');
      if (job === null) return true;
      const answer = await use.cancelJob(job);
      if (answer.kind !== 'busy') return true;
      busy += 1;
      // One that is changed by somebody else each time that it is read is none that there is.
      if (busy === MOST_BUSY) world.violation('cannot be canceled: it is always busy', order.name);
      return undefined;
    });
    world.story(order.name, 'cancel answered');
  }

  async function retryLater(order: Order): Promise<void> {
    await wait(random.whole(5000, 60_000));
    const mode = random.pick([undefined, undefined, 'resume', 'resubmit'] as const);
    // The answer may be lost although the retry counts.
    if (mode === 'resubmit') order.maySubmitAgain = true;
    await once(async (use, api) => {
      const job: Job | null = await api.store.jobs.read(order.jobId ?? '');
      if (job === null) return;
      const answer = await use.reopenJob(job, mode);
      if (answer.kind === 'reopened') world.story(order.name, 'retry accepted', { mode: answer.mode });
    }).catch(() => undefined);
  }

  async function sendBatch(batch: SentBatch): Promise<void> {
    const lines = batch.orders.map(({ request, name }) => ({ custom_id: name, ...request }));
    world.story(batch.name, 'batch sent', { lines: lines.length });
    const send = async (use: UseCases) => {
      const answer = await use.createBatch({
        tenant: batch.tenant,
        keyId: 'key_1',
        requestId: `req-${batch.name}`,
        doc: batchDocOf(batch.tenant),
        onInvalid: 'reject',
        items: (async function* () {
          yield lines.map((value, i) => ({ line: i + 1, bytes: 500, value }));
        })(),
        idempotency: { key: `key-${batch.name}`, fingerprint: () => batch.name },
      });
      if (answer.kind !== 'accepted') return void world.story(batch.name, 'refused', { ...answer });
      const { id }: BatchRecord = answer.batch;
      if (batch.id !== null && batch.id !== id)
        world.violation(`one Idempotency-Key made two batches: ${batch.id}, ${id}`, batch.name);
      batch.id = id;
      return true;
    };
    await until(batch.name, send);
    world.story(batch.name, 'batch accepted', { batch: batch.id });
    if (random.chance(world.plan.resends)) await sendAgain(batch.name, send);
    if (random.chance(world.plan.cancels)) await cancelBatch(batch);
    if (random.chance(world.plan.retries)) await retryBatch(batch);
    if (random.chance(world.plan.deletes * batch.orders.length)) await deleteLine(batch);
  }

  async function cancelBatch(batch: SentBatch): Promise<void> {
    await wait(random.whole(0, 30_000));
    batch.canceled = true;
    await until(batch.name, async (use, api) => {
      const answer = await api.store.batches.cancel(batch.id ?? '');
      use.nudge();
      return answer ?? 'missing';
    });
    world.story(batch.name, 'cancel answered');
  }

  async function retryBatch(batch: SentBatch): Promise<void> {
    await wait(random.whole(10_000, 90_000));
    const includeUnknown = random.chance(0.3);
    // The answer may be lost although the retry counts.
    if (includeUnknown) for (const order of batch.orders) order.maySubmitAgain = true;
    await once(async (use, api) => {
      const read = await api.store.batches.read(batch.id ?? '');
      if (read !== null) world.story(batch.name, 'retry answered', { ...(await use.retryFailed(read, { includeUnknown })) });
    }).catch(() => undefined);
  }

  /** One of its jobs is deleted, as a job of its own would be. */
  async function deleteLine(batch: SentBatch): Promise<void> {
    const line = random.whole(0, batch.orders.length - 1);
    const job = await once(async (_use, api) => {
      const [id = ''] = await api.store.batches.jobIds(batch.id ?? '', line, 1);
      return await api.store.jobs.read(id);
    }).catch(() => null);
    const order = job && world.orders.get(orderNameOf(job.doc));
    if (!order) return;
    order.jobId = job.id;
    await deleteLater(order);
  }

  return { place, sendBatch };
}
