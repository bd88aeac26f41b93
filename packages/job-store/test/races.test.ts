import { expect, test } from 'vitest';
import { ACCEPTED, jobIn, type Started, startStore, UNSTORED } from './harness.ts';

/** Two transitions at the same moment, over one connection in either order: one of them is made, and the other is told so. */
const ORDERS = [0, 1] as const;

async function race<T>(order: 0 | 1, a: () => Promise<T>, b: () => Promise<T>): Promise<[T, T]> {
  if (order === 0) return await Promise.all([a(), b()]);
  const [second, first] = await Promise.all([b(), a()]);
  return [first, second];
}

const accepted = async (harness: Started, job: Awaited<ReturnType<typeof jobIn>>) => {
  const record = await job.read();
  return () => harness.store.transitions.commit(record, ACCEPTED);
};

test('when a cancel meets the task id of its open submit then the task is kept, whoever comes first', async () => {
  const harness = await startStore();
  for (const order of ORDERS) {
    const job = await jobIn(harness, 'submitting');
    const open = await job.read();
    const [canceled, taken] = await race(
      order,
      () => harness.store.transitions.commit(open, { kind: 'request_cancel' }),
      await accepted(harness, job),
    );
    if (order === 0) {
      expect([canceled.kind, taken]).toEqual(['ok', { kind: 'wrong', state: 'canceling/submitting' }]);
      // What the submit stage does then.
      await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'canceled', task: ACCEPTED.task });
    } else {
      expect([canceled, taken.kind]).toEqual([{ kind: 'stale', state: 'running/generating' }, 'ok']);
      expect((await harness.store.transitions.commit(await job.read(), { kind: 'cancel' })).kind).toBe('ok');
    }
    expect(await job.read()).toMatchObject({ status: 'canceled', task: { id: '1-t' }, run: 1 });
    expect(await harness.redis.zcard('{gj}:inflight')).toBe(0);
  }
});

test('when a cancel meets the end of its job then the job ends once and has one pending delivery', async () => {
  const harness = await startStore();
  for (const order of ORDERS) {
    const job = await jobIn(harness, 'generating');
    const record = await job.read();
    const ends = await race(
      order,
      () => harness.store.transitions.commit(record, { kind: 'cancel' }),
      () => harness.store.transitions.commit(record, { kind: 'finish', status: 'failed' }),
    );
    expect(ends.map(({ kind }) => kind)).toEqual(order === 0 ? ['ok', 'stale'] : ['stale', 'ok']);
    const status = order === 0 ? 'canceled' : 'failed';
    expect(await job.read()).toMatchObject({ status, webhook: { last_delivery_id: `evt_${job.id.slice(4)}_1_job_${status}` } });
    expect(await harness.redis.keys(`{gj}:delivery:evt_${job.id.slice(4)}*`)).toHaveLength(1);
  }
});

test('when the expiry meets the outputs of a task then what was paid for is stored, or the job expired before', async () => {
  const harness = await startStore();
  for (const order of ORDERS) {
    const job = await jobIn(harness, 'generating');
    const record = await job.read();
    await race(
      order,
      () => harness.store.transitions.commit(record, { kind: 'finish', status: 'expired', latePollMs: 1000 }),
      () => harness.store.transitions.commit(record, { kind: 'start_storing', unstored: { links: [], dies_at: 1 } }),
    );
    expect(await job.read()).toMatchObject(order === 0 ? { status: 'expired' } : { status: 'running', stage: 'storing' });
    expect(await harness.redis.zscore('{gj}:late', job.id)).toBe(order === 0 ? String(harness.clock.now() + 1000) : null);
  }
});

test('when a retry and a late result reopen a job at once then one of them does, and the other is refused', async () => {
  const harness = await startStore();
  for (let n = 0; n < 20; n += 1) {
    const job = await jobIn(harness, 'generating');
    await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'expired', latePollMs: 1000 });
    const ended = await job.read();
    const both = [
      () => harness.store.transitions.commit(ended, { kind: 'reopen', to: 'queued' }),
      () => harness.store.transitions.commit(ended, { kind: 'reopen', to: 'running/storing', late: true, unstored: UNSTORED }),
    ];
    const reopened = await Promise.all((n % 2 === 0 ? both : both.reverse()).map((reopen) => reopen()));
    expect(reopened.map(({ kind }) => kind).sort()).toEqual(['ok', 'stale']);
    const record = await job.read();
    expect(record).toMatchObject({ run: 2, late_result: record.stage === 'storing' });
    expect(record.unstored === null).toBe(record.status === 'queued');
  }
});

test('when a job or delivery changes after it was found to be over then it stays among what is due', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'generating');
  await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed' });
  const ended = await job.read();
  await harness.store.transitions.commit(ended, { kind: 'reopen', to: 'queued' });
  await harness.store.jobs.forgetDue(job.id, ended.step);
  expect(await harness.redis.zscore('{gj}:due', job.id)).not.toBeNull();

  const id = ended.webhook.last_delivery_id ?? '';
  const failed = (await harness.store.deliveries.read(id))?.delivery;
  if (failed === undefined) throw new Error('no delivery');
  await harness.store.deliveries.resend(failed);
  await harness.store.deliveries.forgetDue(id, failed.step);
  expect(await harness.redis.zscore('{gj}:due:deliveries', id)).not.toBeNull();
});
