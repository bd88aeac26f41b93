import { recoverOperation } from '@grsai-jobs/job-store';
import { type Delivery, eventId } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { recoverDeliveries } from '../src/operations/recover-deliveries.ts';
import { createOperationsTask } from '../src/operations/run-operations.ts';
import { acceptedJob, type Harness, startHarness } from './harness.ts';

const HERE = 'https://a.example/hook';

async function deliveryOf(kit: Harness, id: string): Promise<Delivery> {
  const found = await kit.store.deliveries.read(id);
  if (found === null) throw new Error('no delivery');
  return found.delivery;
}

/** A delivery that no try was made of, a millisecond younger than the one before. */
async function unsent(kit: Harness, url = HERE): Promise<string> {
  await kit.clock.advance(1);
  const job = await acceptedJob(kit, { webhook: { url } });
  await kit.store.transitions.commit(await job.read(), { kind: 'cancel' });
  return eventId(job.id, 1, 'job.canceled');
}

/** A delivery that is over. */
async function over(kit: Harness, state: 'failed' | 'skipped' | 'delivered', url = HERE): Promise<string> {
  const id = await unsent(kit, url);
  const attempt = { number: 1, at: kit.clock.now(), duration_ms: 1, ok: false, phase: 'response', status: 410 };
  await kit.store.deliveries.settle(await deliveryOf(kit, id), { state, now: kit.clock.now(), attempt });
  return id;
}

const stateOf = async (kit: Harness, id: string) => (await kit.store.deliveries.read(id))?.delivery.state;
const entryOf = async (kit: Harness, id: string) => {
  const found = await kit.store.deliveries.read(id);
  return found === null ? 'gone' : await kit.producer.stateOf('deliver', found.delivery);
};

test('what an endpoint has missed is resent over many slices, and all else is left alone', async () => {
  const kit = await startHarness();
  const before = await over(kit, 'failed');
  await kit.clock.advance(1000);
  const from = kit.clock.now();
  const missed: string[] = [];
  for (let n = 0; n < 230; n += 1) missed.push(await over(kit, n % 2 ? 'failed' : 'skipped', `${HERE}?n=${n}`));
  const others = [await over(kit, 'delivered'), await over(kit, 'failed', 'https://a.example/other')];
  const to = kit.clock.now();
  await kit.clock.advance(1000);
  const after = await over(kit, 'failed');

  await kit.store.operations.add(recoverOperation({ tenant: 'acme', url: HERE, from, to }));
  let slices = 0;
  const slice = recoverDeliveries(kit);
  const runTask = createOperationsTask(kit, {
    'webhook-recover': async (operation) => {
      slices += 1;
      // A worker that dies after its slice leaves it to be done again from the same place.
      await slice(operation);
      return await slice(operation);
    },
  });
  await runTask();
  expect(slices).toBe(3);
  expect(new Set(await Promise.all(missed.map((id) => stateOf(kit, id))))).toEqual(new Set(['pending']));
  expect(new Set(await Promise.all(missed.map((id) => entryOf(kit, id))))).toEqual(new Set(['there']));
  expect(await Promise.all([before, ...others, after].map((id) => stateOf(kit, id)))).toEqual([
    'failed',
    'delivered',
    'failed',
    'failed',
  ]);
  expect(await kit.store.operations.take(kit.clock.now() + 1e9)).toBeNull();
});

test('when a recovery is asked for while one goes on then what has failed since is resent too, and nothing twice', async () => {
  const kit = await startHarness();
  const from = kit.clock.now();
  const first = await over(kit, 'failed');
  await kit.store.operations.add(recoverOperation({ tenant: 'acme', url: HERE, from, to: kit.clock.now() }));
  const second = await over(kit, 'failed');
  await kit.store.operations.add(recoverOperation({ tenant: 'acme', url: HERE, from, to: kit.clock.now() }));
  await createOperationsTask(kit, { 'webhook-recover': recoverDeliveries(kit) })();
  expect(await Promise.all([first, second].map((id) => stateOf(kit, id)))).toEqual(['pending', 'pending']);
  expect(await Promise.all([first, second].map((id) => entryOf(kit, id)))).toEqual(['there', 'there']);
  expect((await kit.store.deliveries.read(first))?.delivery.step).toBe(2);
});

test('what was tried in vain and waits for a later try is tried at once, and what was never tried is left to its own turn', async () => {
  const kit = await startHarness();
  const untried = await unsent(kit);
  const tried = await unsent(kit);
  const attempt = { number: 1, at: kit.clock.now(), duration_ms: 1, ok: false, phase: 'connect' };
  await kit.store.deliveries.settle(await deliveryOf(kit, tried), {
    now: kit.clock.now(),
    state: 'pending',
    attempt,
    nextAt: kit.clock.now() + 3_600_000,
  });
  const before = (await deliveryOf(kit, untried)).step;
  await kit.store.operations.add(recoverOperation({ tenant: 'acme', url: HERE, from: 0, to: kit.clock.now() }));
  await createOperationsTask(kit, { 'webhook-recover': recoverDeliveries(kit) })();
  expect(await deliveryOf(kit, tried)).toMatchObject({ state: 'pending', asked: true, next_attempt_at: kit.clock.now() });
  expect(await deliveryOf(kit, untried)).toMatchObject({ state: 'pending', asked: false, step: before });
});

test('progress webhooks of a live job that were skipped stay so', async () => {
  const kit = await startHarness();
  const job = await acceptedJob(kit, { webhook: { url: HERE, events: ['job.started'] } });
  const reported = await kit.store.deliveries.report(
    { ...(await job.read()), url: HERE },
    { type: 'job.started' },
    kit.clock.now(),
  );
  const found = await kit.store.deliveries.read(reported?.id ?? '');
  if (found === null) throw new Error('no delivery');
  const attempt = { number: 1, at: 1, duration_ms: 1, ok: false, phase: 'connect' };
  await kit.store.deliveries.settle(found.delivery, { state: 'failed', now: kit.clock.now(), attempt });
  await kit.store.operations.add(recoverOperation({ tenant: 'acme', url: HERE, from: 0, to: kit.clock.now() }));
  await createOperationsTask(kit, { 'webhook-recover': recoverDeliveries(kit) })();
  expect(await stateOf(kit, found.delivery.id)).toBe('failed');
});

test("another tenant's deliveries to the same address are not touched", async () => {
  const kit = await startHarness();
  const mine = await over(kit, 'failed');
  const order = { url: HERE, from: 0, to: kit.clock.now() };
  await kit.store.operations.add(recoverOperation({ tenant: 'other', ...order }));
  const runTask = createOperationsTask(kit, { 'webhook-recover': recoverDeliveries(kit) });
  await runTask();
  expect(await stateOf(kit, mine)).toBe('failed');
  await kit.store.operations.add(recoverOperation({ tenant: 'acme', ...order }));
  await runTask();
  expect(await stateOf(kit, mine)).toBe('pending');
});
