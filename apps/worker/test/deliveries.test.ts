import { endpointId, RECOVER_WORK, recoverWork } from '@grsai-jobs/job-store';
import { createConsumer, type Entry, type Outcome } from '@grsai-jobs/queue';
import { systemClock } from '@grsai-jobs/runtime';
import { startReceiver, waitFor } from '@grsai-jobs/testkit';
import { verify } from '@grsai-jobs/webhooks';
import { expect, onTestFinished, test } from 'vitest';
import { createOwedDeliveries } from '../src/maintain/owed-deliveries.ts';
import { recoverDeliveries } from '../src/maintain/recover.ts';
import { createWorkRound } from '../src/maintain/works.ts';
import { deadUrl, deliverStage, oweWebhooks } from './deliver-kit.ts';
import { acceptedJob, startKit, type TestKit } from './kit.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A job that ended and owes a webhook to `url`. */
async function endedJob(kit: TestKit, url: string) {
  const job = await acceptedJob(kit, { webhook: { url } });
  await kit.store.moves.end(await job.read(), { status: 'failed' });
  const id = (await job.read()).webhook.last_delivery_id ?? '';
  const delivery = async () => {
    const found = await kit.store.deliveries.read(id);
    if (found === null) throw new Error('no delivery');
    return found.delivery;
  };
  return { ...job, delivery, entry: { id, step: 1 } };
}

async function startedReceiver() {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  return receiver;
}

test('the whole life of a delivery: ten tries in three days, a disabled endpoint, skipped ones, recovered, delivered', async () => {
  const kit = await startKit();
  const receiver = await startedReceiver();
  const { handler, secret } = deliverStage(kit);
  receiver.respond({ status: 500, body: 'not today' });
  const live = async (entry: Entry): Promise<void> => {
    for (let outcome: Outcome = { kind: 'wait', ms: 0 }; outcome.kind === 'wait'; ) {
      await kit.clock.advance(outcome.ms);
      outcome = await handler({ entry, stalled: false });
    }
  };
  const bornAt = kit.clock.now();

  const first = await endedJob(kit, receiver.url);
  await live(first.entry);
  expect(kit.clock.now() - bornAt).toBeGreaterThan(3 * DAY);
  expect(await first.delivery()).toMatchObject({ state: 'failed', tries: 10, next_attempt_at: null });
  expect((await first.delivery()).attempts).toEqual(
    Array.from({ length: 10 }, (_, i) =>
      expect.objectContaining({ number: i + 1, ok: false, phase: 'response', status: 500, answer: 'not today' }),
    ),
  );
  expect((await first.read()).webhook.state).toBe('failed');
  expect(new Set(receiver.received.map((hook) => hook.headers['webhook-id']))).toEqual(new Set([first.entry.id]));
  expect(await kit.store.endpoints.read('acme', receiver.url)).toMatchObject({ state: 'closed', failing_since: bornAt });

  // The next one is in the middle of its tries when the receiver has failed for five days.
  const second = await endedJob(kit, receiver.url);
  await live(second.entry);
  expect(kit.clock.now() - bornAt).toBeGreaterThanOrEqual(5 * DAY);
  expect((await second.delivery()).state).toBe('failed');
  expect((await second.delivery()).tries).toBeLessThan(10);
  expect(await kit.store.endpoints.read('acme', receiver.url)).toMatchObject({ state: 'disabled', reason: 'failing' });

  const third = await endedJob(kit, receiver.url);
  const before = receiver.received.length;
  await live(third.entry);
  expect(receiver.received).toHaveLength(before);
  expect(await third.delivery()).toMatchObject({ state: 'skipped', tries: 0, attempts: [] });
  expect((await third.read()).webhook.state).toBe('failed');
  expect(await kit.count('webhook_tries_total{outcome="skipped"')).toBe(2);

  receiver.respond(204);
  await kit.store.endpoints.enable('acme', receiver.url);
  await kit.store.works.add(recoverWork({ tenant: 'acme', url: receiver.url, from: bornAt, to: kit.clock.now() }));
  await createWorkRound(kit, { [RECOVER_WORK]: recoverDeliveries(kit) })();
  for (const job of [first, second, third]) {
    expect((await job.read()).webhook.state).toBe('pending');
    await live({ id: job.entry.id, step: (await job.delivery()).step });
    expect((await job.delivery()).state).toBe('delivered');
    expect((await job.read()).webhook.state).toBe('delivered');
    const hook = receiver.received.at(-1);
    const said = verify({ secrets: [secret], headers: hook?.headers ?? {}, body: hook?.body ?? '', now: kit.clock.now() });
    expect(said).toEqual({ id: job.entry.id, timestamp: Math.floor(kit.clock.now() / 1000) });
    expect(hook?.json).toMatchObject({ id: job.entry.id, data: { id: job.id, status: 'failed' } });
  }
  expect(await first.delivery()).toMatchObject({ tries: 11 });
  // Each was written down twice over its life: accepted, ended.
  expect(receiver.received.at(-1)?.json).toMatchObject({ sequence: 2 });
  expect(await kit.store.endpoints.read('acme', receiver.url)).toMatchObject({ state: 'closed', failing_since: null });
  expect(await kit.redis.zcard('{gj}:due:deliveries')).toBe(0);
});

test('a resend is one more try: it fails and leaves a delivered one delivered, and a waiting one with its schedule', async () => {
  const kit = await startKit();
  const receiver = await startedReceiver();
  const { handler } = deliverStage(kit);
  const job = await endedJob(kit, receiver.url);
  await handler({ entry: job.entry, stalled: false });
  receiver.respond(500);
  const again = await kit.store.deliveries.resend(await job.delivery(), kit.clock.now());
  expect(await handler({ entry: { id: job.entry.id, step: again ?? 0 }, stalled: false })).toEqual({ kind: 'done' });
  expect(await job.delivery()).toMatchObject({ state: 'delivered', tries: 2, once: null });
  // The entry of the step before it does nothing, nor does a resend by whoever read it before.
  expect(await handler({ entry: job.entry, stalled: false })).toEqual({ kind: 'done' });
  expect(receiver.received).toHaveLength(2);

  const waiting = await endedJob(kit, receiver.url);
  expect(await handler({ entry: waiting.entry, stalled: false })).toEqual({ kind: 'wait', ms: 5000 });
  const read = await waiting.delivery();
  const step = await kit.store.deliveries.resend(read, kit.clock.now());
  expect(await kit.store.deliveries.resend(read, kit.clock.now())).toBeNull();
  expect(await handler({ entry: { id: waiting.entry.id, step: step ?? 0 }, stalled: false })).toEqual({ kind: 'wait', ms: 5000 });
  expect(await waiting.delivery()).toMatchObject({ state: 'pending', tries: 2, extra: 1 });
});

test('when a delivery that waits for a receiver in trouble is resent again and again then that is one try more, and its schedule goes on', async () => {
  const kit = await startKit();
  const receiver = await startedReceiver();
  receiver.respond(500);
  const { handler } = deliverStage(kit);
  for (let n = 0; n < 10; n += 1) await handler({ entry: (await endedJob(kit, receiver.url)).entry, stalled: false });

  const job = await endedJob(kit, receiver.url);
  let step = 1;
  for (let n = 0; n < 3; n += 1) {
    expect(await handler({ entry: { id: job.entry.id, step }, stalled: false })).toMatchObject({ kind: 'wait' });
    step = (await kit.store.deliveries.resend(await job.delivery(), kit.clock.now())) ?? 0;
  }
  await kit.clock.advance(10_000);
  expect(await handler({ entry: { id: job.entry.id, step }, stalled: false })).toEqual({ kind: 'wait', ms: 0 });
  expect(receiver.received).toHaveLength(11);
  expect(await job.delivery()).toMatchObject({ state: 'pending', tries: 1, extra: 1 });
});

/** The stage by the real clock, with what breaks its open tries off. */
function cuttableStage(kit: Parameters<typeof deliverStage>[0]) {
  const cutting = new AbortController();
  const shutdown = { stopping: cutting.signal, cutting: cutting.signal };
  return { ...deliverStage(kit, { clock: systemClock, shutdown }), cutting };
}

test('when one receiver hangs then it holds five places, and 500 webhooks to another go out meanwhile', async () => {
  const kit = await startKit();
  const [hanging, other] = [await startedReceiver(), await startedReceiver()];
  hanging.respond('hang');
  const { handler, cutting } = cuttableStage(kit);
  const now = Date.now();
  for (const entry of await oweWebhooks(kit, hanging.url, 40, now)) await kit.producer.enqueueDelivery(entry);
  for (const entry of await oweWebhooks(kit, other.url, 500, now)) await kit.producer.enqueueDelivery(entry);
  const consumer = startConsumer(kit, handler, 10);

  // A try to the hanging one lasts 15 s: none has ended when the others are all through.
  await other.waitFor(500, { timeoutMs: 12_000 });
  expect(hanging.received).toHaveLength(5);
  expect(hanging.peak).toBe(5);
  expect(await openTries(kit, hanging.url)).toBe(5);
  await waitFor(() => consumer.open() === 5, { what: 'nobody but the five tries to hold a slot' });

  // A stop breaks them off; their places are free at once and no try is spent.
  cutting.abort();
  await waitFor(async () => (await openTries(kit, hanging.url)) === 0, { what: 'the places to be given back' });
});

test('when a receiver with an address for each webhook hangs then it has a share of the places, and webhooks to another go out meanwhile', async () => {
  const kit = await startKit();
  const [hanging, other] = [await startedReceiver(), await startedReceiver()];
  hanging.respond('hang');
  const { handler, cutting } = cuttableStage(kit);
  const now = Date.now();
  for (let n = 0; n < 40; n += 1)
    for (const entry of await oweWebhooks(kit, `${hanging.url}/orders/${n}`, 1, now)) await kit.producer.enqueueDelivery(entry);
  for (const entry of await oweWebhooks(kit, other.url, 100, now)) await kit.producer.enqueueDelivery(entry);
  const consumer = startConsumer(kit, handler, 10);

  await other.waitFor(100, { timeoutMs: 12_000 });
  expect(hanging.peak).toBe(5);
  await waitFor(() => consumer.open() === 5, { what: 'nobody but the five tries to hold a slot' });
  expect(await kit.store.deliveries.overdue(Date.now() + HOUR, 100)).toHaveLength(40);
  cutting.abort();
});

test('when several workers deliver to one receiver then it never sees more than five at a time', async () => {
  const kit = await startKit();
  const receiver = await startedReceiver();
  receiver.respond({ status: 200, delayMs: 10 });
  for (const entry of await oweWebhooks(kit, receiver.url, 150, Date.now())) await kit.producer.enqueueDelivery(entry);
  for (let n = 0; n < 3; n += 1) startConsumer(kit, deliverStage(kit, { clock: systemClock }).handler, 20);
  await receiver.waitFor(150, { timeoutMs: 20_000 });
  expect(receiver.peak).toBe(5);
  expect(new Set(receiver.received.map((hook) => hook.headers['webhook-id'])).size).toBe(150);
});

test('when 10 000 webhooks are owed to a dead receiver then few tries are made, and each waits in a slot of its own', async () => {
  const kit = await startKit();
  const { handler } = deliverStage(kit);
  const entries = await oweWebhooks(kit, await deadUrl(), 10_000);
  const start = kit.clock.now();
  const waiting: { at: number; entry: Entry }[] = [];
  const wake = async (entry: Entry): Promise<void> => {
    const outcome = await handler({ entry, stalled: false });
    if (outcome.kind === 'wait') waiting.push({ at: kit.clock.now() + outcome.ms, entry });
  };
  for (let n = 0; n < entries.length; n += 50) await Promise.all(entries.slice(n, n + 50).map(wake));
  expect(waiting).toHaveLength(10_000);
  const tries = await kit.count('webhook_tries_total');
  expect(tries).toBeLessThanOrEqual(15);

  // Ten minutes: an entry comes back every 100 ms at most, and but a few of them are tries.
  let woken = 0;
  const until = start + 600_000;
  for (;;) {
    waiting.sort((a, b) => a.at - b.at);
    const due = waiting.splice(
      0,
      waiting.findIndex(({ at }) => at > (waiting[0]?.at ?? 0) + 1000),
    );
    if (due.length === 0 || (due[0]?.at ?? 0) > until) break;
    for (const { at, entry } of due) {
      await kit.clock.advance(Math.max(0, at - kit.clock.now()));
      woken += 1;
      await wake(entry);
    }
  }
  expect(woken).toBeGreaterThan(1000);
  expect(woken).toBeLessThanOrEqual(600 * 10 + 100);
  expect((await kit.count('webhook_tries_total')) - tries).toBeLessThanOrEqual(10);
}, 60_000);

test('when a delivery waits for its slot then it is repaired only if its entry is lost, and keeps its slot', async () => {
  const kit = await startKit();
  const { handler } = deliverStage(kit);
  const entries = await oweWebhooks(kit, await deadUrl(), 12);
  for (const entry of entries) await handler({ entry, stalled: false });
  const [healthy, lost] = entries.slice(-2);
  if (!healthy || !lost) throw new Error('two are missing');
  const slot = async (id: string) => (await kit.store.deliveries.read(id))?.delivery.next_attempt_at ?? 0;
  const before = [await slot(healthy.id), await slot(lost.id)];
  expect(before[0]).toBeGreaterThan(kit.clock.now());
  await kit.producer.enqueueDelivery(healthy, 60_000);

  await kit.clock.advance(45_000);
  await createOwedDeliveries(kit)();
  expect([await slot(healthy.id), await slot(lost.id)]).toEqual(before);
  expect((await kit.store.deliveries.read(healthy.id))?.delivery.step).toBe(1);
  expect((await kit.store.deliveries.read(lost.id))?.delivery.step).toBe(2);
  expect(await kit.producer.stateOf('deliver', { id: lost.id, step: 2 })).toBe('there');
});

const openTries = (kit: TestKit, url: string) => kit.redis.zcard(`{gj}:endpoint:${endpointId('acme', url)}:tries`);

function startConsumer(kit: TestKit, handler: ReturnType<typeof deliverStage>['handler'], concurrency: number) {
  const consumer = createConsumer('deliver', handler, {
    redis: kit.redis,
    prefix: 'gj',
    concurrency,
    lockMs: 15_000,
    stalledMs: 5000,
    onError: () => {},
    onThrow: async () => {},
  });
  consumer.start();
  onTestFinished(() => consumer.stop());
  return consumer;
}
