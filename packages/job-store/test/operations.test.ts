import { expect, test } from 'vitest';
import { startStore } from './harness.ts';

const order = { kind: 'batch-open', subject: 'batch_1', order: { n: 1 } };

test('when an operation is added twice then it stands once, with the order it was made with', async () => {
  const { store, clock } = await startStore();
  expect(await store.operations.add({ ...order, at: clock.now() })).toBe(true);
  expect(await store.operations.add({ ...order, order: { n: 2 }, at: clock.now() })).toBe(false);
  expect(await store.operations.take(clock.now())).toMatchObject({ id: 'batch-open:batch_1', order: { n: 1 }, cursor: null });
});

test('when a worker has an operation then nobody else gets it until its lease is over, and then the cursor is where it was left', async () => {
  const { store, clock } = await startStore();
  await store.operations.add({ ...order, at: clock.now() });
  const first = await store.operations.take(clock.now());
  expect(await store.operations.take(clock.now())).toBeNull();
  expect(await store.operations.checkpoint(first as NonNullable<typeof first>, { at: 500 }, clock.now())).toBe(true);

  const second = await store.operations.take(clock.now());
  expect(second?.cursor).toEqual({ at: 500 });
  clock.advance(30_000);
  const third = await store.operations.take(clock.now());
  expect(third?.cursor).toEqual({ at: 500 });
  expect(await store.operations.checkpoint(second as NonNullable<typeof second>, { at: 900 }, clock.now())).toBe(false);
  expect(await store.operations.done(third as NonNullable<typeof third>)).toBe(true);
  expect(await store.operations.take(clock.now() + 60_000)).toBeNull();
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
  await store.operations.wake('batch-open:batch_1', clock.now());
  const operation = await store.operations.take(clock.now());
  expect(operation).not.toBeNull();
  await store.operations.addAgain({ kind: 'batch-open', subject: 'batch_1', order: {}, at: clock.now() });
  expect(await store.operations.done(operation as NonNullable<typeof operation>)).toBe(false);
  expect(await store.operations.take(clock.now())).toMatchObject({ id: 'batch-open:batch_1', order: operation?.order });
});

test('when the answer to a take is lost and it is sent again then the same worker has the operation', async () => {
  const { store, proxy, clock } = await startStore();
  await store.operations.add({ ...order, at: clock.now() });
  const cut = proxy.cutAfterNextReply(({ name }) => name.startsWith('eval'));
  expect(await store.operations.take(clock.now())).toMatchObject({ id: 'batch-open:batch_1' });
  await cut;
});
