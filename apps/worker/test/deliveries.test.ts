import type { Egress } from '@grsai-jobs/egress';
import { endpointId, endpointRef, RECOVER_OPERATION, recoverOperation } from '@grsai-jobs/job-store';
import { ENDPOINT_RULES } from '@grsai-jobs/jobs';
import { createConsumer, type Entry, type Outcome } from '@grsai-jobs/queue';
import { systemClock } from '@grsai-jobs/runtime';
import { startReceiver, waitFor } from '@grsai-jobs/testkit';
import { verify } from '@grsai-jobs/webhooks';
import { expect, onTestFinished, test } from 'vitest';
import { createPendingDeliveries, createRoomCheck } from '../src/maintenance/pending-deliveries.ts';
import { recoverDeliveries } from '../src/operations/recover-deliveries.ts';
import { createOperationsTask } from '../src/operations/run-operations.ts';
import { settle } from '../src/runner/settle.ts';
import { createSlots } from '../src/webhooks/slots.ts';
import { addDeliveries, deadUrl, deliverStage, testEgress } from './deliver-harness.ts';
import { acceptedJob, type Harness, startHarness } from './harness.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A job that ended and has a pending delivery to `url`. */
async function endedJob(harness: Harness, url: string) {
  const job = await acceptedJob(harness, { webhook: { url } });
  await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed' });
  const id = (await job.read()).webhook.last_delivery_id ?? '';
  const delivery = async () => {
    const found = await harness.store.deliveries.read(id);
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

test('the whole life of a delivery: ten attempts in three days, a disabled endpoint, skipped ones, recovered, delivered', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  const { handler, secret } = deliverStage(harness);
  receiver.respond({ status: 500, body: 'not today' });
  const live = async (entry: Entry): Promise<void> => {
    for (let outcome: Outcome = { kind: 'wait', ms: 0 }; outcome.kind === 'wait'; ) {
      await harness.clock.advance(outcome.ms);
      outcome = await handler({ entry, stalled: false });
    }
  };
  const bornAt = harness.clock.now();

  const first = await endedJob(harness, receiver.url);
  await live(first.entry);
  expect(harness.clock.now() - bornAt).toBeGreaterThan(3 * DAY);
  expect(await first.delivery()).toMatchObject({ state: 'failed', attempts_made: 10, next_attempt_at: null });
  expect((await first.delivery()).attempts).toEqual(
    Array.from({ length: 10 }, (_, i) =>
      expect.objectContaining({ number: i + 1, ok: false, phase: 'response', status: 500, answer: 'not today' }),
    ),
  );
  expect((await first.read()).webhook.state).toBe('failed');
  expect(new Set(receiver.received.map((hook) => hook.headers['webhook-id']))).toEqual(new Set([first.entry.id]));
  expect(await harness.store.endpoints.read('acme', receiver.url)).toMatchObject({ state: 'closed', failing_since: bornAt });

  // The next one is in the middle of its attempts when the receiver has failed for five days.
  const second = await endedJob(harness, receiver.url);
  await live(second.entry);
  expect(harness.clock.now() - bornAt).toBeGreaterThanOrEqual(5 * DAY);
  expect((await second.delivery()).state).toBe('failed');
  expect((await second.delivery()).attempts_made).toBeLessThan(10);
  expect(await harness.store.endpoints.read('acme', receiver.url)).toMatchObject({ state: 'disabled', reason: 'failing' });

  const third = await endedJob(harness, receiver.url);
  const before = receiver.received.length;
  await live(third.entry);
  expect(receiver.received).toHaveLength(before);
  expect(await third.delivery()).toMatchObject({ state: 'skipped', attempts_made: 0, attempts: [] });
  expect((await third.read()).webhook.state).toBe('failed');
  expect(await harness.count('webhook_attempts_total{outcome="skipped"')).toBe(2);

  receiver.respond(204);
  await harness.store.endpoints.enable('acme', receiver.url);
  await harness.store.operations.add(
    recoverOperation({ tenant: 'acme', url: receiver.url, from: bornAt, to: harness.clock.now() }),
  );
  await createOperationsTask(harness, { [RECOVER_OPERATION]: recoverDeliveries(harness) })();
  for (const job of [first, second, third]) {
    expect((await job.read()).webhook.state).toBe('pending');
    await live({ id: job.entry.id, step: (await job.delivery()).step });
    expect((await job.delivery()).state).toBe('delivered');
    expect((await job.read()).webhook.state).toBe('delivered');
    const hook = receiver.received.at(-1);
    const said = verify({ secrets: [secret], headers: hook?.headers ?? {}, body: hook?.body ?? '', now: harness.clock.now() });
    expect(said).toEqual({ id: job.entry.id, timestamp: Math.floor(harness.clock.now() / 1000) });
    expect(hook?.json).toMatchObject({ id: job.entry.id, data: { id: job.id, status: 'failed' } });
  }
  expect(await first.delivery()).toMatchObject({ attempts_made: 11 });
  // Each was written down twice over its life: accepted, ended.
  expect(receiver.received.at(-1)?.json).toMatchObject({ sequence: 2 });
  expect(await harness.store.endpoints.read('acme', receiver.url)).toMatchObject({ state: 'closed', failing_since: null });
  expect(await harness.redis.zcard('{gj}:due:deliveries')).toBe(0);
});

test('a resend is one more attempt: it fails and leaves a delivered one delivered, and a waiting one with its schedule', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  const { handler } = deliverStage(harness);
  const job = await endedJob(harness, receiver.url);
  await handler({ entry: job.entry, stalled: false });
  receiver.respond(500);
  const again = await harness.store.deliveries.resend(await job.delivery());
  expect(await handler({ entry: { id: job.entry.id, step: again ?? 0 }, stalled: false })).toEqual({ kind: 'done' });
  expect(await job.delivery()).toMatchObject({ state: 'delivered', attempts_made: 2, once: null });
  // The entry of the step before it does nothing, nor does a resend by whoever read it before.
  expect(await handler({ entry: job.entry, stalled: false })).toEqual({ kind: 'done' });
  expect(receiver.received).toHaveLength(2);

  const waiting = await endedJob(harness, receiver.url);
  expect(await handler({ entry: waiting.entry, stalled: false })).toEqual({ kind: 'wait', ms: 5000 });
  const read = await waiting.delivery();
  const step = await harness.store.deliveries.resend(read);
  expect(await harness.store.deliveries.resend(read)).toBeNull();
  expect(await handler({ entry: { id: waiting.entry.id, step: step ?? 0 }, stalled: false })).toEqual({ kind: 'wait', ms: 5000 });
  expect(await waiting.delivery()).toMatchObject({ state: 'pending', attempts_made: 2, extra: 1 });
});

test('when a delivery that waits for a receiver in trouble is resent again and again then that is one attempt more, and its schedule goes on', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  receiver.respond(500);
  const { handler } = deliverStage(harness);
  for (let n = 0; n < 10; n += 1) await handler({ entry: (await endedJob(harness, receiver.url)).entry, stalled: false });

  const job = await endedJob(harness, receiver.url);
  let step = 1;
  for (let n = 0; n < 3; n += 1) {
    expect(await handler({ entry: { id: job.entry.id, step }, stalled: false })).toEqual({ kind: 'done' });
    step = (await harness.store.deliveries.resend(await job.delivery())) ?? 0;
  }
  await harness.clock.advance(10_000);
  expect(await handler({ entry: { id: job.entry.id, step }, stalled: false })).toEqual({ kind: 'wait', ms: 0 });
  expect(receiver.received).toHaveLength(11);
  expect(await job.delivery()).toMatchObject({ state: 'pending', attempts_made: 1, extra: 1 });
});

/** The stage by the real clock, with what breaks its open attempts off: nothing else does, however long a test takes. */
function cuttableStage(harness: Parameters<typeof deliverStage>[0], slots = 50) {
  const cutting = new AbortController();
  const shutdown = { stopping: cutting.signal, cutting: cutting.signal };
  const patient = testEgress();
  const egress: Pick<Egress, 'post'> = { post: (request) => patient.post({ ...request, totalMs: 3600_000 }) };
  return { ...deliverStage(harness, { egress, clock: systemClock, shutdown, slots: createSlots(() => slots) }), cutting };
}

function stopped() {
  const signal = AbortSignal.abort();
  return { stopping: signal, cutting: signal };
}

/** Entries of deliver that would come up now, taken out of the queue. */
async function queued(harness: Harness): Promise<Entry[]> {
  const ids = await harness.redis.lrange('{gj-q}:deliver:wait', '0', '-1');
  const entries = await Promise.all(
    ids.map(async (id) => {
      const data = await harness.redis.hget(`{gj-q}:deliver:${id}`, 'data');
      await harness.redis.del(`{gj-q}:deliver:${id}`);
      const { delivery_id, ...rest } = JSON.parse(data ?? '{}') as { delivery_id: string; step: number; endpoint?: string };
      return { id: delivery_id, ...rest };
    }),
  );
  await harness.redis.del('{gj-q}:deliver:wait');
  return entries;
}

const waitingFor = (harness: Harness, url: string) => harness.redis.zcard(`{gj}:endpoint:${endpointId('acme', url)}:room`);

test('when one receiver hangs then it holds five permits, and 500 webhooks to another go out meanwhile', async () => {
  const harness = await startHarness();
  const [hanging, other] = [await startedReceiver(), await startedReceiver()];
  hanging.respond('hang');
  const { handler, deliveries, cutting } = cuttableStage(harness);
  const now = Date.now();
  for (const entry of await addDeliveries(harness, hanging.url, 40, now)) await harness.producer.enqueueDelivery(entry);
  for (const entry of await addDeliveries(harness, other.url, 500, now)) await harness.producer.enqueueDelivery(entry);
  const consumer = startConsumer(harness, handler, 10);

  // No attempt to the hanging one has ended when the others are all through.
  await other.waitFor(500);
  expect(hanging.received).toHaveLength(5);
  expect(hanging.peak).toBe(5);
  await waitFor(() => consumer.open() === 5, { what: 'nobody but the five attempts to hold a slot' });
  expect(await waitingFor(harness, hanging.url)).toBe(35);

  // A stop breaks them off; their permits are free at once and no attempt is used up.
  cutting.abort();
  await waitFor(async () => (await openAttempts(harness, hanging.url)) === 0, {
    what: 'the permits to be given back',
  });
  await deliveries.stop();
});

test('when a receiver with an address for each webhook hangs then its tenant has a share of the slots, and another tenant goes on', async () => {
  const harness = await startHarness();
  const [hanging, other] = [await startedReceiver(), await startedReceiver()];
  hanging.respond('hang');
  const { handler, cutting } = cuttableStage(harness, 10);
  const now = Date.now();
  for (let n = 0; n < 40; n += 1)
    for (const entry of await addDeliveries(harness, `${hanging.url}/orders/${n}`, 1, now))
      await harness.producer.enqueueDelivery(entry);
  for (const entry of await addDeliveries(harness, other.url, 100, now, 'quiet')) await harness.producer.enqueueDelivery(entry);
  const consumer = startConsumer(harness, handler, 10);

  await other.waitFor(100);
  expect(hanging.peak).toBe(5);
  await waitFor(() => consumer.open() === 5, { what: 'nobody but the five attempts to hold a slot' });
  // Nobody is lost: those that found no slot wait in the rooms of their endpoints.
  expect(await harness.redis.zcard('{gj}:rooms')).toBe(35);
  cutting.abort();
});

test('when a receiver has been slow and is well again then what waits for it goes out at once, and not by a guess', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  receiver.respond({ status: 200, delayMs: 1500 });
  const { handler } = deliverStage(harness, { clock: systemClock });
  for (const entry of await addDeliveries(harness, receiver.url, 300, Date.now())) await harness.producer.enqueueDelivery(entry);
  startConsumer(harness, handler, 50);
  await receiver.waitFor(5);
  receiver.respond(200);
  await receiver.waitFor(300);
  expect(receiver.peak).toBeLessThanOrEqual(30);
  expect(new Set(receiver.received.map((hook) => hook.headers['webhook-id'])).size).toBe(300);
  // Most of them never came back to the queue: the end of one attempt began the next.
  await waitFor(async () => (await harness.redis.zcard('{gj}:due:deliveries')) === 0, { what: 'all to be written down' });
  expect(await harness.store.deliveries.standing()).toEqual({ oldestPendingAt: null, rooms: 0 });
});

test('when several workers deliver to one receiver then each webhook goes out once, and never more at a time than there are permits', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  receiver.respond({ status: 200, delayMs: 10 });
  for (const entry of await addDeliveries(harness, receiver.url, 150, Date.now())) await harness.producer.enqueueDelivery(entry);
  for (let n = 0; n < 3; n += 1) startConsumer(harness, deliverStage(harness, { clock: systemClock }).handler, 20);
  await receiver.waitFor(150);
  expect(receiver.peak).toBeLessThanOrEqual(30);
  expect(receiver.received).toHaveLength(150);
  expect(new Set(receiver.received.map((hook) => hook.headers['webhook-id'])).size).toBe(150);
});

test('when 10 000 deliveries are pending for a dead receiver then few attempts are made, and those that wait cost nothing', async () => {
  const harness = await startHarness();
  const { handler } = deliverStage(harness);
  const entries = await addDeliveries(harness, await deadUrl(), 10_000);
  const later: { at: number; entry: Entry }[] = [];
  const wake = async (entry: Entry): Promise<void> => {
    const outcome = await handler({ entry, stalled: false });
    if (outcome.kind === 'wait') later.push({ at: harness.clock.now() + outcome.ms, entry });
  };
  for (let n = 0; n < entries.length; n += 50) await Promise.all(entries.slice(n, n + 50).map(wake));
  const attempts = await harness.count('webhook_attempts_total');
  expect(attempts).toBeLessThanOrEqual(15);
  expect(later.length).toBeLessThanOrEqual(15);

  // Ten minutes: each check lets a probe out when the breaker's time is over, and nobody else.
  let commands = 0;
  const check = createRoomCheck(harness);
  const spent = async () => Number(/total_commands_processed:(\d+)/.exec(await harness.redis.info('stats'))?.[1]);
  for (let second = 0; second < 600; second += 1) {
    await harness.clock.advance(1000);
    const before = await spent();
    await check();
    commands += (await spent()) - before;
    for (const job of await queued(harness)) await wake(job);
  }
  expect(commands).toBeLessThan(600 * 40);
  expect((await harness.count('webhook_attempts_total')) - attempts).toBeLessThanOrEqual(12);
}, 60_000);

test('when workers die with permits, or before an entry is added, then checks and repairs bring every webhook out, each once more at most', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  const { handler } = deliverStage(harness);
  const url = receiver.url;
  const jobs = [];
  for (let n = 0; n < 9; n += 1) jobs.push(await endedJob(harness, url));
  // Five attempts that nobody ends: their worker is gone. The others have no permit and wait.
  const held = { endpoint: endpointRef('acme', url), token: 'dead' };
  for (const [n, job] of jobs.slice(0, 5).entries())
    await harness.store.deliveries.open(job.entry, { ...held, token: `dead-${n}` });
  for (const job of jobs.slice(5)) expect(await handler({ entry: job.entry, stalled: false })).toEqual({ kind: 'done' });
  expect(await waitingFor(harness, url)).toBe(4);

  await harness.clock.advance(ENDPOINT_RULES.leaseMs + ENDPOINT_RULES.lostAfterMs);
  await createPendingDeliveries(harness)();
  await createRoomCheck(harness)();
  for (let rounds = 0; rounds < 5; rounds += 1)
    for (const entry of await queued(harness)) expect(await handler({ entry, stalled: false })).toEqual({ kind: 'done' });
  for (const job of jobs) expect(await job.delivery()).toMatchObject({ state: 'delivered', attempts_made: 1 });
  expect(receiver.received).toHaveLength(9);
  expect(await harness.redis.zcard('{gj}:due:deliveries')).toBe(0);
  expect(await harness.redis.zcard('{gj}:rooms')).toBe(0);
});

test('when a webhook takes five workers with it then it is set aside as crashed, and says so', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  const { handler } = deliverStage(harness);
  const job = await endedJob(harness, receiver.url);
  for (let n = 0; n < ENDPOINT_RULES.maxLost; n += 1) {
    const held = { endpoint: endpointRef('acme', receiver.url), token: `dead-${n}` };
    await harness.store.deliveries.open(job.entry, held);
  }
  expect(await handler({ entry: job.entry, stalled: true })).toEqual({ kind: 'done' });
  expect(receiver.received).toEqual([]);
  expect(await job.delivery()).toMatchObject({
    state: 'failed',
    attempts: [{ ok: false, error: expect.stringMatching(/^crashed: .* 5 times/) }],
  });
  expect((await job.read()).webhook.state).toBe('failed');
});

test('when Redis takes no writes at the end of many attempts then each is written down later, once, and none counts as a worker that died', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  const { handler } = deliverStage(harness);
  const job = await endedJob(harness, receiver.url);
  const takeWrites = (takes: boolean) => harness.redis.config('SET', 'min-replicas-to-write', takes ? '0' : '1');
  receiver.respond(async () => {
    await takeWrites(false);
    return 503;
  });
  for (let n = 1; n <= ENDPOINT_RULES.maxLost + 1; n += 1) {
    const outcome = handler({ entry: job.entry, stalled: false });
    await receiver.waitFor(n);
    await expect.poll(async () => (await harness.redis.info('errorstats')).includes('NOREPLICAS')).toBe(true);
    await harness.redis.config('RESETSTAT');
    await takeWrites(true);
    expect(await outcome).toMatchObject({ kind: 'wait' });
    expect(await job.delivery()).toMatchObject({ state: 'pending', attempts_made: n });
    await harness.clock.advance(DAY);
  }
  expect(await harness.redis.hget(`{gj}:delivery:${job.entry.id}`, 'lost')).toBeNull();
});

test('when a job ends in a process that has a free slot then its webhook goes out from there, without an entry', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  const { deliveries } = deliverStage(harness);
  const job = await acceptedJob(harness, { webhook: { url: receiver.url } });
  await settle({ ...harness, deliveries }, await job.read(), { kind: 'finish', status: 'failed' });
  await deliveries.stop();
  expect(receiver.received).toMatchObject([{ json: { type: 'job.failed', data: { id: job.id, status: 'failed' } } }]);
  expect((await job.read()).webhook.state).toBe('delivered');
  expect(await queued(harness)).toEqual([]);
});

test('when the first attempt at the end of a job fails then its next one has an entry, which waits', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  receiver.respond(500);
  const { deliveries } = deliverStage(harness);
  const job = await acceptedJob(harness, { webhook: { url: receiver.url } });
  await settle({ ...harness, deliveries }, await job.read(), { kind: 'finish', status: 'failed' });
  await deliveries.stop();
  const id = (await job.read()).webhook.last_delivery_id ?? '';
  expect(await harness.producer.stateOf('deliver', { id, step: 1 })).toBe('there');
  expect((await harness.store.deliveries.read(id))?.delivery).toMatchObject({ state: 'pending', attempts_made: 1, step: 1 });
});

test('when a delivery comes up that is due before all that wait for a permit and its attempt fails then it has an entry for the next one', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  receiver.respond(500);
  const { handler } = deliverStage(harness);
  const [older, younger] = [await endedJob(harness, receiver.url), await endedJob(harness, receiver.url)];
  const room = `{gj}:endpoint:${endpointId('acme', receiver.url)}:room`;
  await harness.redis.zadd(room, (await younger.delivery()).next_attempt_at ?? 0, younger.entry.id);
  await harness.redis.zincrby(room, 1, younger.entry.id);
  expect(await handler({ entry: older.entry, stalled: false })).toEqual({ kind: 'done' });
  const { step, attempts_made } = await older.delivery();
  expect({ step, attempts_made }).toEqual({ step: 2, attempts_made: 1 });
  expect(await harness.producer.stateOf('deliver', { id: older.entry.id, step })).toBe('there');
});

test('when two have had one entry, whose lock was lost, then the one that ends last keeps it for the next attempt', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  const first = Promise.withResolvers<number>();
  receiver.respond((_, index) => (index === 0 ? first.promise : 500));
  const { handler } = deliverStage(harness);
  const { entry, delivery } = await endedJob(harness, receiver.url);
  const frozen = handler({ entry, stalled: false });
  await receiver.waitFor(1);
  expect(await handler({ entry, stalled: true })).toMatchObject({ kind: 'wait' });
  const { next_attempt_at: next, attempts_made } = await delivery();
  first.resolve(500);
  expect(await frozen).toEqual({ kind: 'wait', ms: 0 });
  expect(await handler({ entry, stalled: false })).toEqual({ kind: 'wait', ms: (next ?? 0) - harness.clock.now() });
  expect(await delivery()).toMatchObject({ state: 'pending', attempts_made });
});

test.each([
  ['no slot is free in the process and none is busy with its endpoint', { slots: createSlots(() => 0) }],
  ['the process is being stopped', { shutdown: stopped() }],
])('when %s then the webhook of a job that ends goes by the queue', async (_, more) => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  const { deliveries } = deliverStage(harness, more);
  const job = await acceptedJob(harness, { webhook: { url: receiver.url } });
  await settle({ ...harness, deliveries }, await job.read(), { kind: 'finish', status: 'failed' });
  await deliveries.stop();
  expect(receiver.received).toEqual([]);
  expect(await queued(harness)).toHaveLength(1);
});

test('when an endpoint has no permit then the webhook of a job that ends waits in its room, without an entry', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  receiver.respond('hang');
  const { deliveries, cutting } = cuttableStage(harness);
  const ended = async () => {
    const job = await acceptedJob(harness, { webhook: { url: receiver.url } });
    await settle({ ...harness, deliveries }, await job.read(), { kind: 'finish', status: 'failed' });
  };
  for (let n = 0; n < 7; n += 1) await ended();
  await receiver.waitFor(5);
  expect(await waitingFor(harness, receiver.url)).toBe(2);
  expect(await queued(harness)).toEqual([]);

  // A stop cuts the attempts; each gets an entry and uses up none.
  cutting.abort();
  await deliveries.stop();
  expect(await openAttempts(harness, receiver.url)).toBe(0);
  const entries = await queued(harness);
  expect(entries).toHaveLength(5);
  for (const { id } of entries)
    expect((await harness.store.deliveries.read(id))?.delivery).toMatchObject({ state: 'pending', attempts_made: 0 });
});

test('while deliver is paused no webhook leaves by any way, and all leave afterwards', async () => {
  const harness = await startHarness();
  const receiver = await startedReceiver();
  receiver.respond('hang');
  const cutting = new AbortController();
  const shutdown = { stopping: cutting.signal, cutting: cutting.signal };
  const { handler, deliveries } = deliverStage(harness, { shutdown });
  for (let n = 0; n < 5; n += 1) {
    const job = await acceptedJob(harness, { webhook: { url: receiver.url } });
    await settle({ ...harness, deliveries }, await job.read(), { kind: 'finish', status: 'failed' });
  }
  await receiver.waitFor(5);
  const waiting = await endedJob(harness, receiver.url);
  await harness.store.pauses.add('deliver', {
    reason: 'operator',
    since: harness.clock.now(),
    detail: 'a test',
    state: 'paused',
  });

  // At the end of a job, in place of another, by an entry, and by a check: nothing begins.
  const job = await acceptedJob(harness, { webhook: { url: receiver.url } });
  await settle({ ...harness, deliveries }, await job.read(), { kind: 'finish', status: 'failed' });
  for (const entry of await queued(harness)) await handler({ entry, stalled: false });
  await harness.clock.advance(60_000);
  await createRoomCheck(harness)();
  cutting.abort();
  await deliveries.stop();
  expect(receiver.received).toHaveLength(5);

  receiver.respond(200);
  await harness.store.pauses.remove('deliver', 'operator');
  const after = deliverStage(harness);
  for (let rounds = 0; rounds < 4; rounds += 1) {
    await harness.clock.advance(ENDPOINT_RULES.checkAgainMs);
    await createRoomCheck(harness)();
    for (const entry of await queued(harness)) await after.handler({ entry, stalled: false });
    await after.deliveries.stop();
  }
  expect((await waiting.delivery()).state).toBe('delivered');
  expect(await harness.store.deliveries.standing()).toEqual({ oldestPendingAt: null, rooms: 0 });
});

const openAttempts = (harness: Harness, url: string) => harness.redis.zcard(`{gj}:endpoint:${endpointId('acme', url)}:attempts`);

function startConsumer(harness: Harness, handler: ReturnType<typeof deliverStage>['handler'], concurrency: number) {
  const consumer = createConsumer('deliver', handler, {
    redis: harness.redis,
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
