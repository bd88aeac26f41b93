import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { imageDoc, jobIn, NO_LIMITS, newJobId, type Started, startStore } from './kit.ts';

/**
 * ioredis sends a command again whose answer was lost. Each row runs one script with the connection cut after Redis
 * has executed it, and must see what a caller sees whose answer came at once.
 */
const ROWS: readonly [string, (kit: Started) => Promise<() => Promise<unknown>>, unknown][] = [
  [
    'accept',
    async (kit) => {
      const id = newJobId();
      return () => kit.store.moves.accept({ id, tenant: 'acme', doc: imageDoc() });
    },
    { kind: 'ok', turn: 1 },
  ],
  [
    'begin',
    async (kit) => {
      const job = await jobIn(kit, 'queued');
      return () => kit.store.moves.begin({ id: job.id, step: 1 }, { token: randomUUID(), limitMs: 1000 }, NO_LIMITS);
    },
    { kind: 'ok' },
  ],
  [
    'tell',
    async (kit) => {
      const job = await jobIn(kit, 'submitting');
      const record = await job.read();
      return () => kit.store.moves.tell(record, { by: job.token, progress: 5 });
    },
    { kind: 'ok', step: 1 },
  ],
  [
    'refused',
    async (kit) => {
      const job = await jobIn(kit, 'submitting');
      const record = await job.read();
      return () => kit.store.moves.refused(record, { by: job.token, waitMs: 0, spent: 1, attempts: [] });
    },
    { kind: 'ok', step: 1 },
  ],
  [
    'accepted',
    async (kit) => {
      const job = await jobIn(kit, 'submitting');
      const record = await job.read();
      return () =>
        kit.store.moves.accepted(record, {
          by: job.token,
          token: randomUUID(),
          base: 'b',
          taskId: 't',
          firstLookMs: 0,
          aliveUntil: 1,
          attempts: [],
        });
    },
    { kind: 'ok', step: 2 },
  ],
  [
    'look',
    async (kit) => {
      const job = await jobIn(kit, 'generating');
      const record = await job.read();
      return () => kit.store.moves.look(record, { progress: 40, polls: 1 });
    },
    { kind: 'ok', step: 2 },
  ],
  [
    'again',
    async (kit) => {
      const job = await jobIn(kit, 'generating');
      const record = await job.read();
      return () => kit.store.moves.again(record, { waitMs: 0, attempts: [] });
    },
    { kind: 'ok', step: 3 },
  ],
  [
    'outputs',
    async (kit) => {
      const job = await jobIn(kit, 'generating');
      const record = await job.read();
      return () => kit.store.moves.outputs(record, { pending: { links: [], dies_at: 1 } });
    },
    { kind: 'ok', step: 3 },
  ],
  [
    'store_again',
    async (kit) => {
      const job = await jobIn(kit, 'storing');
      const record = await job.read();
      return () => kit.store.moves.storeAgain(record, { waitMs: 0, attempts: [] });
    },
    { kind: 'ok', step: 3 },
  ],
  [
    'end',
    async (kit) => {
      const job = await jobIn(kit, 'storing');
      const record = await job.read();
      return () => kit.store.moves.end(record, { status: 'succeeded', output: { kind: 'images', images: [] } });
    },
    { kind: 'ok', step: 4 },
  ],
  [
    'cancel',
    async (kit) => {
      const job = await jobIn(kit, 'queued');
      const record = await job.read();
      return () => kit.store.moves.cancel(record);
    },
    { kind: 'ok', step: 2 },
  ],
  [
    'cancel_open',
    async (kit) => {
      const job = await jobIn(kit, 'submitting');
      const record = await job.read();
      return () => kit.store.moves.cancelOpen(record);
    },
    { kind: 'ok', step: 1 },
  ],
  [
    'reopen',
    async (kit) => {
      const job = await jobIn(kit, 'failed');
      const record = await job.read();
      return () => kit.store.moves.reopen(record, { to: 'queued' });
    },
    { kind: 'ok', step: 4 },
  ],
  [
    'repair',
    async (kit) => {
      const job = await jobIn(kit, 'queued');
      const record = await job.read();
      return () => kit.store.moves.repair(record);
    },
    { kind: 'ok', step: 2 },
  ],
  [
    'crash',
    async (kit) => {
      const job = await jobIn(kit, 'queued');
      const record = await job.read();
      return () => kit.store.moves.crash(record, { kind: 'thrown', waitMs: 0 });
    },
    { kind: 'ok', step: 2 },
  ],
];

test.each(ROWS)(
  'when the answer of %s is lost then the same call is answered as if it had come',
  async (_move, prepare, expected) => {
    const kit = await startStore();
    const call = await prepare(kit);
    const before = await kit.store.jobs.counters();
    const cut = kit.proxy.cutAfterNextReply((command) => command.name === 'evalsha' || command.name === 'eval');
    const answer = call();
    await cut;
    expect(await answer).toMatchObject(expected as object);
    // Run twice it would have counted twice.
    const counted = Object.values(await kit.store.jobs.counters()).reduce((sum, n) => sum + n, 0);
    expect(counted - Object.values(before).reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(1);
    expect(Number(await kit.redis.hget('{gj}:turns', '#queued'))).toBe(expectQueued(_move));
  },
);

/** One job is queued after these, and none after the others (the count is then gone). */
const expectQueued = (move: string): number =>
  ['accept', 'refused', 'again', 'reopen', 'repair', 'crash'].includes(move) ? 1 : 0;

test('when the answer of settle is lost then the try counts once', async () => {
  const kit = await startStore();
  const job = await jobIn(kit, 'storing');
  await kit.store.moves.end(await job.read(), { status: 'succeeded' });
  const id = (await job.read()).webhook.last_delivery_id ?? '';
  const found = await kit.store.deliveries.read(id);
  if (found === null) throw new Error('no delivery');
  const attempt = { number: 1, at: 1, duration_ms: 1, ok: true, phase: 'response', status: 200 };
  const cut = kit.proxy.cutAfterNextReply((command) => command.name === 'evalsha' || command.name === 'eval');
  const settled = kit.store.deliveries.settle(found.delivery, { state: 'delivered', now: 1, attempt });
  await cut;
  expect(await settled).toMatchObject({ settled: true });
  const after = await kit.store.deliveries.read(id);
  expect(after?.delivery).toMatchObject({ state: 'delivered', attempts_made: 1, attempts: [{ status: 200 }] });
  expect(after?.job?.webhook.state).toBe('delivered');
});
