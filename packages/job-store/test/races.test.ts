import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { jobIn, type Started, startStore } from './kit.ts';

/** Two moves at the same moment, over one connection in either order: one of them is made, and the other is told so. */
const ORDERS = [0, 1] as const;

async function race<T>(order: 0 | 1, a: () => Promise<T>, b: () => Promise<T>): Promise<[T, T]> {
  if (order === 0) return await Promise.all([a(), b()]);
  const [second, first] = await Promise.all([b(), a()]);
  return [first, second];
}

const accepted = async (kit: Started, job: Awaited<ReturnType<typeof jobIn>>) => {
  const record = await job.read();
  const order = { token: randomUUID(), base: 'b', taskId: 't', firstLookMs: 0, aliveUntil: kit.clock.now() + 1e6, attempts: [] };
  return () => kit.store.moves.accepted(record, { by: job.token, ...order });
};

test('when a cancel meets the task id of its open submit then the task is kept, whoever comes first', async () => {
  const kit = await startStore();
  for (const order of ORDERS) {
    const job = await jobIn(kit, 'submitting');
    const open = await job.read();
    const [canceled, taken] = await race(order, () => kit.store.moves.cancelOpen(open), await accepted(kit, job));
    if (order === 0) {
      expect([canceled.kind, taken]).toEqual(['ok', { kind: 'wrong', state: 'canceling/submitting' }]);
      // What the submit stage does then.
      await kit.store.moves.end(open, { status: 'canceled', by: job.token, set: { base: 'b', task: 't', sub: 1 } });
    } else {
      expect([canceled, taken.kind]).toEqual([{ kind: 'stale', state: 'running/generating' }, 'ok']);
      expect((await kit.store.moves.cancel(await job.read())).kind).toBe('ok');
    }
    expect(await job.read()).toMatchObject({ status: 'canceled', task_id: 't', run: 1 });
    expect(await kit.redis.zcard('{gj}:inflight')).toBe(0);
  }
});

test('when a cancel meets the end of its job then the job ends once and has one pending delivery', async () => {
  const kit = await startStore();
  for (const order of ORDERS) {
    const job = await jobIn(kit, 'generating');
    const record = await job.read();
    const moves = await race(
      order,
      () => kit.store.moves.cancel(record),
      () => kit.store.moves.end(record, { status: 'failed' }),
    );
    expect(moves.map(({ kind }) => kind)).toEqual(order === 0 ? ['ok', 'stale'] : ['stale', 'ok']);
    const status = order === 0 ? 'canceled' : 'failed';
    expect(await job.read()).toMatchObject({ status, webhook: { last_delivery_id: `evt_${job.id.slice(4)}_1_job_${status}` } });
    expect(await kit.redis.keys(`{gj}:delivery:evt_${job.id.slice(4)}*`)).toHaveLength(1);
  }
});

test('when the expiry meets the outputs of a task then what was paid for is stored, or the job expired before', async () => {
  const kit = await startStore();
  for (const order of ORDERS) {
    const job = await jobIn(kit, 'generating');
    const record = await job.read();
    await race(
      order,
      () => kit.store.moves.end(record, { status: 'expired', lateLookAt: 1 }),
      () => kit.store.moves.outputs(record, { pending: { links: [], dies_at: 1 } }),
    );
    expect(await job.read()).toMatchObject(order === 0 ? { status: 'expired' } : { status: 'running', stage: 'storing' });
    expect(await kit.redis.zscore('{gj}:late', job.id)).toBe(order === 0 ? '1' : null);
  }
});

test('when a retry and a late result reopen a job at once then one of them does, and the other is told', async () => {
  const kit = await startStore();
  for (let n = 0; n < 20; n += 1) {
    const job = await jobIn(kit, 'generating');
    await kit.store.moves.end(await job.read(), { status: 'expired', lateLookAt: 1 });
    const ended = await job.read();
    const pend = JSON.stringify({ links: [{ url: 'http://f/1.png' }], dies_at: 1 });
    const both = [
      () => kit.store.moves.reopen(ended, { to: 'queued' }),
      () => kit.store.moves.reopen(ended, { to: 'running/storing', late: true, set: { pend } }),
    ];
    const moved = await Promise.all((n % 2 === 0 ? both : both.reverse()).map((reopen) => reopen()));
    expect(moved.map(({ kind }) => kind).sort()).toEqual(['ok', 'stale']);
    const record = await job.read();
    expect(record).toMatchObject({ run: 2, late_result: record.stage === 'storing' });
    expect(record.pending === null).toBe(record.status === 'queued');
  }
});

test('when a job or delivery moves on after it was found to be over then its place among what is due stays', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'generating');
  await kit.store.moves.end(await job.read(), { status: 'failed' });
  const ended = await job.read();
  await kit.store.moves.reopen(ended, { to: 'queued' });
  await kit.store.jobs.forgetDue(job.id, ended.step);
  expect(await kit.redis.zscore('{gj}:due', job.id)).not.toBeNull();

  const id = ended.webhook.last_delivery_id ?? '';
  const failed = (await kit.store.deliveries.read(id))?.delivery;
  if (failed === undefined) throw new Error('no delivery');
  await kit.store.deliveries.resend(failed, kit.clock.now());
  await kit.store.deliveries.forgetDue(id, failed.step);
  expect(await kit.redis.zscore('{gj}:due:deliveries', id)).not.toBeNull();
});
