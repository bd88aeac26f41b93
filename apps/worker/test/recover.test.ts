import { recoverOperation } from '@grsai-jobs/job-store';
import { type Delivery, eventId } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { recoverDeliveries } from '../src/operations/recover-deliveries.ts';
import { createOperationsTask } from '../src/operations/run-operations.ts';
import { acceptedJob, type Harness, startHarness } from './harness.ts';

const HERE = 'https://a.example/hook';

async function deliveryOf(harness: Harness, id: string): Promise<Delivery> {
  const found = await harness.store.deliveries.read(id);
  if (found === null) throw new Error('no delivery');
  return found.delivery;
}

/** A delivery that no try was made of, a millisecond younger than the one before. */
async function unsent(harness: Harness, url = HERE): Promise<string> {
  await harness.clock.advance(1);
  const job = await acceptedJob(harness, { webhook: { url } });
  await harness.store.transitions.commit(await job.read(), { kind: 'cancel' });
  return eventId(job.id, 1, 'job.canceled');
}

/** A delivery that is over. */
async function over(harness: Harness, state: 'failed' | 'skipped' | 'delivered', url = HERE): Promise<string> {
  const id = await unsent(harness, url);
  const attempt = { number: 1, at: harness.clock.now(), duration_ms: 1, ok: false, phase: 'response', status: 410 };
  await harness.store.deliveries.settle(await deliveryOf(harness, id), { state, attempt });
  return id;
}

const stateOf = async (harness: Harness, id: string) => (await harness.store.deliveries.read(id))?.delivery.state;
const entryOf = async (harness: Harness, id: string) => {
  const found = await harness.store.deliveries.read(id);
  return found === null ? 'gone' : await harness.producer.stateOf('deliver', found.delivery);
};

test('what an endpoint has missed is resent over many slices, and all else is left alone', async () => {
  const harness = await startHarness();
  const before = await over(harness, 'failed');
  await harness.clock.advance(1000);
  const from = harness.clock.now();
  const missed: string[] = [];
  for (let n = 0; n < 230; n += 1) missed.push(await over(harness, n % 2 ? 'failed' : 'skipped', `${HERE}?n=${n}`));
  const others = [await over(harness, 'delivered'), await over(harness, 'failed', 'https://a.example/other')];
  const to = harness.clock.now();
  await harness.clock.advance(1000);
  const after = await over(harness, 'failed');

  await harness.store.operations.add(recoverOperation({ tenant: 'acme', url: HERE, from, to }));
  let slices = 0;
  const slice = recoverDeliveries(harness);
  const runTask = createOperationsTask(harness, {
    'webhook-recover': async (operation) => {
      slices += 1;
      // A worker that dies after its slice leaves it to be done again from the same place.
      await slice(operation);
      return await slice(operation);
    },
  });
  await runTask();
  expect(slices).toBe(3);
  expect(new Set(await Promise.all(missed.map((id) => stateOf(harness, id))))).toEqual(new Set(['pending']));
  expect(new Set(await Promise.all(missed.map((id) => entryOf(harness, id))))).toEqual(new Set(['there']));
  expect(await Promise.all([before, ...others, after].map((id) => stateOf(harness, id)))).toEqual([
    'failed',
    'delivered',
    'failed',
    'failed',
  ]);
  expect(await harness.redis.zcard('{gj}:operations')).toBe(0);
});

test('when a recovery is asked for while one goes on then what has failed since is resent too, and nothing twice', async () => {
  const harness = await startHarness();
  const from = harness.clock.now();
  const first = await over(harness, 'failed');
  await harness.store.operations.add(recoverOperation({ tenant: 'acme', url: HERE, from, to: harness.clock.now() }));
  const second = await over(harness, 'failed');
  await harness.store.operations.add(recoverOperation({ tenant: 'acme', url: HERE, from, to: harness.clock.now() }));
  await createOperationsTask(harness, { 'webhook-recover': recoverDeliveries(harness) })();
  expect(await Promise.all([first, second].map((id) => stateOf(harness, id)))).toEqual(['pending', 'pending']);
  expect(await Promise.all([first, second].map((id) => entryOf(harness, id)))).toEqual(['there', 'there']);
  expect((await harness.store.deliveries.read(first))?.delivery.step).toBe(2);
});

test('what was tried in vain and waits for a later try is tried at once, and what was never tried is left to its own turn', async () => {
  const harness = await startHarness();
  const untried = await unsent(harness);
  const tried = await unsent(harness);
  const attempt = { number: 1, at: harness.clock.now(), duration_ms: 1, ok: false, phase: 'connect' };
  await harness.store.deliveries.settle(await deliveryOf(harness, tried), {
    state: 'pending',
    attempt,
    waitMs: 3_600_000,
  });
  const before = (await deliveryOf(harness, untried)).step;
  await harness.store.operations.add(recoverOperation({ tenant: 'acme', url: HERE, from: 0, to: harness.clock.now() }));
  await createOperationsTask(harness, { 'webhook-recover': recoverDeliveries(harness) })();
  expect(await deliveryOf(harness, tried)).toMatchObject({ state: 'pending', asked: true, next_attempt_at: harness.clock.now() });
  expect(await deliveryOf(harness, untried)).toMatchObject({ state: 'pending', asked: false, step: before });
});

test('progress webhooks of a live job that were skipped stay so', async () => {
  const harness = await startHarness();
  const job = await acceptedJob(harness, { webhook: { url: HERE, events: ['job.started'] } });
  const reported = await harness.store.deliveries.report({ ...(await job.read()), url: HERE }, { type: 'job.started' });
  const found = await harness.store.deliveries.read(reported?.id ?? '');
  if (found === null) throw new Error('no delivery');
  const attempt = { number: 1, at: 1, duration_ms: 1, ok: false, phase: 'connect' };
  await harness.store.deliveries.settle(found.delivery, { state: 'failed', attempt });
  await harness.store.operations.add(recoverOperation({ tenant: 'acme', url: HERE, from: 0, to: harness.clock.now() }));
  await createOperationsTask(harness, { 'webhook-recover': recoverDeliveries(harness) })();
  expect(await stateOf(harness, found.delivery.id)).toBe('failed');
});

test("another tenant's deliveries to the same address are not touched", async () => {
  const harness = await startHarness();
  const mine = await over(harness, 'failed');
  const order = { url: HERE, from: 0, to: harness.clock.now() };
  await harness.store.operations.add(recoverOperation({ tenant: 'other', ...order }));
  const runTask = createOperationsTask(harness, { 'webhook-recover': recoverDeliveries(harness) });
  await runTask();
  expect(await stateOf(harness, mine)).toBe('failed');
  await harness.store.operations.add(recoverOperation({ tenant: 'acme', ...order }));
  await runTask();
  expect(await stateOf(harness, mine)).toBe('pending');
});
