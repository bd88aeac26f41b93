import { expect, test } from 'vitest';
import { createJobStore } from '../src/index.ts';
import { imageDoc, newJobId, startStore } from './harness.ts';

const order = { kind: 'batch-cancel', subject: 'batch_1', order: { n: 1 } };

test('when an operation is added twice then it stands once, with the order it was made with', async () => {
  const { store, clock } = await startStore();
  expect(await store.operations.add({ ...order, at: clock.now() })).toBe(true);
  expect(await store.operations.add({ ...order, order: { n: 2 }, at: clock.now() })).toBe(false);
  expect(await store.operations.take(clock.now())).toMatchObject({ id: 'batch-cancel:batch_1', order: { n: 1 }, cursor: null });
});

test('when a worker has an operation then nobody else gets it until its lease is over, and then the cursor is where it was left', async () => {
  const { store, clock } = await startStore();
  await store.operations.add({ ...order, at: clock.now() });
  const first = await store.operations.take(clock.now());
  expect(await store.operations.take(clock.now())).toBeNull();
  expect(await store.operations.checkpoint(first as NonNullable<typeof first>, { at: 500 }, 0)).toBe(true);

  const second = await store.operations.take(clock.now());
  expect(second?.cursor).toEqual({ at: 500 });
  clock.advance(30_000);
  const third = await store.operations.take(clock.now());
  expect(third?.cursor).toEqual({ at: 500 });
  expect(await store.operations.checkpoint(second as NonNullable<typeof second>, { at: 900 }, 0)).toBe(false);
  expect(await store.operations.done(third as NonNullable<typeof third>)).toBe(true);
  clock.advance(60_000);
  expect(await store.operations.take(clock.now())).toBeNull();
});

test('when a process takes an operation for due whose time has not come by the clock of Redis then it does not get it', async () => {
  const { store, clock } = await startStore();
  await store.operations.add({ ...order, at: clock.now() + 60_000 });
  expect(await store.operations.take(clock.now() + 8 * 24 * 3600_000)).toBeNull();
  clock.advance(60_000);
  expect(await store.operations.take(clock.now())).not.toBeNull();
});

test('when many take at once then each operation goes to one of them', async () => {
  const { store, clock } = await startStore();
  for (let n = 0; n < 5; n += 1) await store.operations.add({ ...order, subject: `b${n}`, at: clock.now() });
  const taken: string[] = [];
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (
        let operation = await store.operations.take(clock.now());
        operation !== null;
        operation = await store.operations.take(clock.now())
      )
        taken.push(operation.id);
    }),
  );
  expect(new Set(taken).size).toBe(taken.length);
});

test('when an operation waits for a later time then it can be woken, and when it was renewed then a slice at work cannot end it', async () => {
  const { store, clock } = await startStore();
  await store.operations.add({ ...order, at: clock.now() + 60_000 });
  expect(await store.operations.take(clock.now())).toBeNull();
  await store.operations.wake('batch-cancel:batch_1', clock.now());
  const operation = await store.operations.take(clock.now());
  expect(operation).not.toBeNull();
  await store.operations.addAgain({ kind: 'batch-cancel', subject: 'batch_1', order: {}, at: clock.now() });
  expect(await store.operations.done(operation as NonNullable<typeof operation>)).toBe(false);
  expect(await store.operations.take(clock.now())).toMatchObject({ id: 'batch-cancel:batch_1', order: operation?.order });
});

test('when the answer to a take is lost and it is sent again then the same worker has the operation', async () => {
  const { store, proxy, clock } = await startStore();
  await store.operations.add({ ...order, at: clock.now() });
  const cut = proxy.cutAfterNextReply(({ name }) => name.startsWith('eval'));
  expect(await store.operations.take(clock.now())).toMatchObject({ id: 'batch-cancel:batch_1' });
  await cut;
});

/** The store as a worker sees it on the primary of this name. */
function storeOn(name: string, { redis, clock }: Awaited<ReturnType<typeof startStore>>) {
  const primary = { identity: async () => name, ask: async () => name, onChange: () => undefined };
  return createJobStore({ redis, prefix: 'gj', clock, scriptClock: clock, primary });
}

test('when another Redis has become the primary during a slice then its end counts for nothing, and the operation is due from where it was', async () => {
  const harness = await startStore();
  const { clock } = harness;
  const [before, after] = [storeOn('first 1', harness), storeOn('second 2', harness)];
  await before.operations.add({ ...order, at: clock.now() });
  for (const end of ['checkpoint', 'done', 'renewLease'] as const) {
    const taken = await before.operations.take(clock.now());
    expect(taken).toMatchObject({ cursor: null, lost: 0 });
    if (taken === null) return;
    expect(await after.operations[end](taken, { at: 500 }, 0)).toBe(false);
  }
  // A worker that died with it is another matter, but not one whose end is forgotten.
  await before.operations.take(clock.now());
  clock.advance(30_000);
  expect(await after.operations.take(clock.now())).toMatchObject({ lost: 0 });
  clock.advance(30_000);
  expect(await after.operations.take(clock.now())).toMatchObject({ lost: 1 });
});

test('when a failover has forgotten lines of a batch, good ones or bad ones, then the rest of it is never committed', async () => {
  const { store, clock, redis } = await startStore();
  const doc = { metadata: {}, priority: 'normal' as const, expires_in_s: 3600, output: { url_ttl_s: 3600 } };
  const committed = async (id: string, forgotten: string | null) => {
    const batch = { id, tenant: 'acme' };
    await store.batches.open({ ...batch, doc, createdAt: clock.now() });
    await store.batches.add(batch, 0, [{ jobId: newJobId(), line: 1, customId: 'a', doc: imageDoc() }]);
    await store.batches.noteInvalid(batch, [{ line: 2, custom_id: null, errors: [] }]);
    if (forgotten !== null) await redis.rpop(`{gj}:batch:${id}:${forgotten}`);
    return await store.batches.commit(batch, { total: 1, invalid: 1, expiresInS: 3600 });
  };
  expect(await committed('batch_1', 'jobs')).toEqual({ kind: 'gone' });
  expect(await committed('batch_2', 'errors')).toEqual({ kind: 'gone' });
  expect(await committed('batch_3', null)).toMatchObject({ kind: 'ok' });
});
