import { randomUUID } from 'node:crypto';
import { ENDPOINT_RULES as RULES } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { endpointId, endpointRef } from '../src/index.ts';
import { imageDoc, jobIn, type Started, startStore } from './harness.ts';
import { ask, attemptLease, attemptOf, ENDPOINT, end, pendingDelivery, type Unsent, URL_A } from './webhooks-harness.ts';

const DAY = 86_400_000;

test('an endpoint is tenant, scheme, host, port and path', () => {
  const same = ['https://A.example/x', 'https://a.example:443/x?q=1'].map((url) => endpointId('acme', url));
  expect(new Set(same).size).toBe(1);
  const others = [
    endpointId('other', 'https://a.example/x'),
    ...['http://a.example/x', 'https://a.example/y', 'https://a.example:8443/x', 'https://b.example/x'].map((url) =>
      endpointId('acme', url),
    ),
  ];
  expect(new Set([...same, ...others]).size).toBe(6);
});

/** So many deliveries, each due a little later than the one before. */
async function many(harness: Started, count: number, url = URL_A): Promise<Unsent[]> {
  const unsent = [];
  for (let n = 0; n < count; n += 1) {
    await harness.clock.advance(1);
    unsent.push(await pendingDelivery(harness, url));
  }
  return unsent;
}

test('when many workers ask at once then five attempts are open, and the others wait in the room with no entry', async () => {
  const harness = await startStore();
  const unsent = await many(harness, 40);
  const answers = await Promise.all(unsent.map((each) => ask(harness, each)));
  expect(answers.filter((answer) => answer.kind === 'open')).toHaveLength(5);
  expect(answers.filter((answer) => answer.kind === 'room')).toHaveLength(35);
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ open_attempts: 5, waiting: 35, state: 'closed' });
  expect(await harness.redis.zcard('{gj}:due:deliveries')).toBe(5);
  // Another endpoint has permits of its own.
  const url = 'https://caller.example/other';
  const elsewhere = await pendingDelivery(harness, url);
  expect(await ask(harness, elsewhere, attemptLease(endpointRef('acme', url)))).toMatchObject({ kind: 'open' });
});

test('when deliveries wait in the room of an endpoint then operators see them among the pending ones', async () => {
  const harness = await startStore();
  for (const each of await many(harness, 7)) await ask(harness, each);
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ waiting: 2 });
  expect(await harness.store.overview.standing()).toMatchObject({ pending_deliveries: 7 });
});

test('when an overdue delivery has gone into the room since a repair found it then it is left there, and one that is overdue still is repaired', async () => {
  const harness = await startStore();
  const unsent = await many(harness, 7);
  const [late, lost] = unsent.slice(5) as [Unsent, Unsent];
  await harness.clock.advance(31_000);
  for (const each of unsent.slice(0, 5)) await ask(harness, each);
  expect(await harness.store.deliveries.overdue(harness.clock.now(), 10)).toEqual(expect.arrayContaining([late.id, lost.id]));
  expect(await ask(harness, late)).toMatchObject({ kind: 'room' });
  const repair = async ({ id }: Unsent) => {
    const found = await harness.store.deliveries.read(id);
    return found && (await harness.store.deliveries.repair(found.delivery));
  };
  expect(await repair(late)).toBeNull();
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ waiting: 1 });
  expect(await repair(lost)).toBe(2);
});

test('when an attempt ends then its permit goes to the delivery that was due first, in the same answer', async () => {
  const harness = await startStore();
  const [first, ...rest] = await many(harness, 5);
  if (!first) throw new Error('none');
  const open = await ask(harness, first);
  for (const each of rest) await ask(harness, each);
  const waiting = [];
  for (let n = 0; n < 3; n += 1) {
    await harness.clock.advance(1);
    waiting.push(await pendingDelivery(harness));
  }
  // The transition that ended their jobs found no permit: they never had an entry.
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ open_attempts: 5, waiting: 3 });
  const [one, two] = [randomUUID(), randomUUID()];
  const { begun } = await end(harness, first, open.lease, 'ok', { wants: [one, two] });
  expect(begun).toMatchObject([
    { lease: { token: one }, delivery: { id: waiting[0]?.id, step: 2 }, job: { id: waiting[0]?.jobId } },
  ]);
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ open_attempts: 5, waiting: 2 });
});

test('when answers are quick then permits grow to thirty, and one that is slow or fails takes them back to five', async () => {
  const harness = await startStore();
  const permits = async () => (await harness.store.endpoints.read('acme', URL_A)).permits;
  for (let n = 0; n < 4; n += 1) await attemptOf(harness, await pendingDelivery(harness), 'ok', RULES.quickMs - 1);
  expect(await permits()).toBe(6);
  for (let n = 0; n < 110; n += 1) await attemptOf(harness, await pendingDelivery(harness), 'ok');
  expect(await permits()).toBe(30);
  await attemptOf(harness, await pendingDelivery(harness), 'ok', RULES.quickMs);
  expect(await permits()).toBe(5);
  for (let n = 0; n < 4; n += 1) await attemptOf(harness, await pendingDelivery(harness), 'ok');
  await attemptOf(harness, await pendingDelivery(harness), 'failed');
  expect(await permits()).toBe(5);
});

test('when permits have grown then one end hands over two of them', async () => {
  const harness = await startStore();
  for (let n = 0; n < 3; n += 1) await attemptOf(harness, await pendingDelivery(harness), 'ok');
  const unsent = await many(harness, 8);
  const answers = [];
  for (const each of unsent) answers.push(await ask(harness, each));
  const [first, answer] = [unsent[0], answers[0]];
  if (!first || answer?.kind !== 'open') throw new Error('not open');
  const { begun } = await end(harness, first, answer.lease, 'ok', { wants: [randomUUID(), randomUUID()] });
  expect(begun).toHaveLength(2);
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ permits: 6, open_attempts: 6, waiting: 1 });
});

test('when a worker dies with its attempts open then a check of the room lets the next ones out after the lease', async () => {
  const harness = await startStore();
  const unsent = await many(harness, 7);
  for (const each of unsent) await ask(harness, each);
  await harness.clock.advance(RULES.leaseMs - 1);
  expect(await harness.store.deliveries.overdueRooms(harness.clock.now(), 10)).toEqual([ENDPOINT]);
  expect(await harness.store.deliveries.letIn(ENDPOINT)).toEqual([]);
  expect(await harness.store.deliveries.overdueRooms(harness.clock.now(), 10)).toEqual([]);
  await harness.clock.advance(RULES.checkAgainMs);
  const entries = await harness.store.deliveries.letIn(ENDPOINT);
  expect(entries.map(({ id, step }) => [id, step])).toEqual(unsent.slice(5).map(({ id }) => [id, 2]));
  expect(await harness.redis.zcard('{gj}:rooms')).toBe(0);
  expect(await ask(harness, unsent[5] as Unsent)).toMatchObject({ kind: 'open', swapped: false });
});

test('when a newcomer finds a permit free then who has waited longer goes first', async () => {
  const harness = await startStore();
  const unsent = await many(harness, 6);
  const answers = [];
  for (const each of unsent) answers.push(await ask(harness, each));
  await end(harness, unsent[0] as Unsent, (answers[0] as (typeof answers)[number]).lease, 'ok');
  await harness.clock.advance(1);
  const newcomer = await pendingDelivery(harness);
  expect(await ask(harness, newcomer)).toMatchObject({ kind: 'open', swapped: true, delivery: { id: unsent[5]?.id, step: 2 } });
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ open_attempts: 5, waiting: 1 });
});

test('when a newcomer is due before all that wait then its attempt begins under a new step, and its entry is done with', async () => {
  const harness = await startStore();
  const older = await pendingDelivery(harness);
  await harness.clock.advance(1);
  const unsent = await many(harness, 6);
  const answers = [];
  for (const each of unsent) answers.push(await ask(harness, each));
  await end(harness, unsent[0] as Unsent, (answers[0] as (typeof answers)[number]).lease, 'ok');
  expect(await ask(harness, older)).toMatchObject({ kind: 'open', swapped: true, delivery: { id: older.id, step: 2 } });
});

test('when its tenant has its share of the worker then a delivery waits, and the next check lets it out', async () => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  const entry = { id: unsent.id, step: 1 };
  const answer = await harness.store.deliveries.open(entry, attemptLease(), { share: false });
  expect(answer).toEqual({ kind: 'room', why: 'share' });
  expect(await harness.store.deliveries.letIn(ENDPOINT)).toMatchObject([{ id: unsent.id, step: 2 }]);
});

test('while deliver is paused nothing begins by any way, and what waits is let out afterwards', async () => {
  const harness = await startStore();
  const unsent = await many(harness, 7);
  const answers = [];
  for (const each of unsent) answers.push(await ask(harness, each));
  await harness.redis.hset('{gj}:pauses:deliver', 'operator', '{}');

  const inline = { attempt: { token: randomUUID() } };
  const job = await jobIn(harness, 'queued', imageDoc({ webhook: { url: 'https://quiet.example/x' } }));
  expect(await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed' }, inline)).toMatchObject({
    kind: 'ok',
    placed: { kind: 'entry' },
  });
  const { begun } = await end(harness, unsent[0] as Unsent, (answers[0] as (typeof answers)[number]).lease, 'ok', {
    wants: [randomUUID()],
  });
  expect(begun).toEqual([]);
  const late = await pendingDelivery(harness, 'https://quiet.example/y');
  expect(await ask(harness, late, attemptLease(endpointRef('acme', 'https://quiet.example/y')))).toMatchObject({
    kind: 'room',
    why: 'paused',
  });
  await harness.clock.advance(RULES.leaseMs);
  expect(await harness.store.deliveries.letIn(ENDPOINT)).toEqual([]);

  await harness.redis.del('{gj}:pauses:deliver');
  await harness.clock.advance(RULES.checkAgainMs);
  expect(await harness.store.deliveries.letIn(ENDPOINT)).toHaveLength(2);
});

test('when the run that it reports ends with a token then the first attempt has begun with it, and what it needs is in the answer', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'queued');
  const token = randomUUID();
  const moved = await harness.store.transitions.commit(
    await job.read(),
    { kind: 'finish', status: 'failed' },
    { attempt: { token } },
  );
  expect(moved).toMatchObject({
    kind: 'ok',
    placed: {
      kind: 'open',
      lease: { token, endpoint: ENDPOINT },
      delivery: { state: 'pending', attempts_made: 0 },
      job: { status: 'failed' },
    },
  });
  if (moved.kind !== 'ok' || moved.placed.kind !== 'open') throw new Error('not open');
  const { delivery, lease } = moved.placed;
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ open_attempts: 1 });
  await end(harness, { read: async () => delivery }, lease, 'ok');
  expect((await harness.store.deliveries.read(delivery.id))?.delivery).toMatchObject({ state: 'delivered', attempts_made: 1 });
  expect(await harness.store.deliveries.standing()).toEqual({ oldestPendingAt: null, rooms: 0 });
});

test('when the answer of a script that hands over is lost then the same attempts are answered, and none is begun twice', async () => {
  const harness = await startStore();
  const cut = () => harness.proxy.cutAfterNextReply((command) => command.name === 'evalsha' || command.name === 'eval');
  const unsent = await many(harness, 8);
  const answers = [];
  for (const each of unsent) answers.push(await ask(harness, each));
  const read = await (unsent[0] as Unsent).read();
  let lost = cut();
  const wants = [randomUUID()];
  const ending = end(harness, { read: async () => read }, (answers[0] as (typeof answers)[number]).lease, 'ok', { wants });
  await lost;
  expect((await ending).begun).toMatchObject([{ delivery: { id: unsent[5]?.id, step: 2 }, lease: { token: wants[0] } }]);
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ open_attempts: 5, waiting: 2 });

  const job = await jobIn(harness, 'queued', imageDoc({ webhook: { url: 'https://quiet.example/x' } }));
  const record = await job.read();
  lost = cut();
  const token = randomUUID();
  const finishing = harness.store.transitions.commit(record, { kind: 'finish', status: 'failed' }, { attempt: { token } });
  await lost;
  expect(await finishing).toMatchObject({ kind: 'ok', placed: { kind: 'open', lease: { token } } });
  expect((await harness.store.endpoints.read('acme', 'https://quiet.example/x')).open_attempts).toBe(1);
});

test('when five workers have died with one delivery in their hands then it is told apart, and no other permit is held by it', async () => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  for (let n = 0; n < RULES.maxLost; n += 1) {
    expect(await ask(harness, unsent)).toMatchObject({ kind: 'open' });
    expect((await harness.store.endpoints.read('acme', URL_A)).open_attempts).toBe(1);
  }
  expect(await ask(harness, unsent)).toMatchObject({ kind: 'lost', delivery: { id: unsent.id } });
  expect((await harness.store.endpoints.read('acme', URL_A)).open_attempts).toBe(0);
  // One that comes to an end begins the count anew.
  const other = await pendingDelivery(harness);
  for (let n = 0; n < RULES.maxLost - 1; n += 1) await ask(harness, other);
  await attemptOf(harness, other, 'failed');
  for (let n = 0; n < RULES.maxLost; n += 1) expect(await ask(harness, other)).toMatchObject({ kind: 'open' });
});

test('when a delivery was set aside as one with which workers died then a resend of it is attempted, and counts them anew', async () => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  for (let n = 0; n < RULES.maxLost; n += 1) await ask(harness, unsent);
  expect((await ask(harness, unsent)).kind).toBe('lost');
  const attempt = { number: 1, at: 1, duration_ms: 0, ok: false, phase: 'write' };
  await harness.store.deliveries.settle(await unsent.read(), { state: 'failed', attempt });
  await harness.store.deliveries.resend(await unsent.read());
  for (let n = 0; n < RULES.maxLost; n += 1) expect((await ask(harness, unsent)).kind).toBe('open');
  expect((await ask(harness, unsent)).kind).toBe('lost');
});

test('when a host gives no answer at any of its addresses then its breaker spares it as a whole, and an error of one address does not', async () => {
  const harness = await startStore();
  const at = (path: string) => `https://caller.example/${path}`;
  const one = async (path: string, answered: boolean) => {
    const unsent = await pendingDelivery(harness, at(path));
    const asked = await ask(harness, unsent, attemptLease(endpointRef('acme', at(path))));
    if (asked.kind === 'open') await end(harness, unsent, asked.lease, 'failed', { answered });
    return asked.kind === 'room' ? asked.why : asked.kind;
  };
  for (let n = 0; n < 12; n += 1) expect(await one(`errors/${n}`, true)).toBe('open');
  for (let n = 0; n < 28; n += 1) expect(await one(`silent/${n}`, false)).toBe('open');
  expect(await one('another', false)).toBe('breaker');
  expect((await harness.store.endpoints.read('acme', at('another'))).state).toBe('closed');
  await harness.clock.advance(RULES.restMs);
  expect(await one('probe', true)).toBe('open');
  expect(await one('next', true)).toBe('open');
});

test('when seven of ten attempts within five minutes failed then none goes out but a probe, and longer and longer not', async () => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  for (let n = 0; n < 3; n += 1) await attemptOf(harness, await pendingDelivery(harness), 'ok');
  for (let n = 0; n < 6; n += 1) expect(await attemptOf(harness, unsent, 'failed')).toMatchObject({ endpoint: '' });
  expect(await attemptOf(harness, unsent, 'failed')).toMatchObject({ endpoint: 'opened' });
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'open', disabled_at: null });

  let rest: number = RULES.restMs;
  for (let n = 0; n < 7; n += 1) {
    // It comes back when the breaker lets a probe through; whoever asks while that is open waits behind it.
    await harness.clock.advance(rest - 1);
    expect(await ask(harness, await pendingDelivery(harness))).toMatchObject({ kind: 'room', why: 'breaker' });
    await harness.clock.advance(1);
    expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'half_open' });
    const probe = await ask(harness, unsent);
    if (probe.kind !== 'open') throw new Error(probe.kind);
    expect(await ask(harness, await pendingDelivery(harness))).toMatchObject({ kind: 'room', why: 'breaker' });
    await end(harness, { read: async () => probe.delivery }, probe.lease, 'failed');
    rest = Math.min(rest * 2, RULES.maxRestMs);
  }
  expect(rest).toBe(RULES.maxRestMs);

  await harness.clock.advance(rest);
  expect(await attemptOf(harness, unsent, 'ok')).toMatchObject({ endpoint: 'closed' });
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'closed', failing_since: null });
  expect(await harness.store.jobs.counters()).toMatchObject({ breakers_opened: 1 });
});

test.each([
  ['six of nine', 3, 6],
  ['nine of nine', 0, 9],
  ['eight of twelve', 4, 8],
])('when %s attempts failed then the breaker stays closed', async (_, good, bad) => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  for (let n = 0; n < good; n += 1) await attemptOf(harness, await pendingDelivery(harness), 'ok');
  for (let n = 0; n < bad; n += 1) await attemptOf(harness, unsent, 'failed');
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'closed' });
});

test('when failures lie further apart than five minutes then the breaker stays closed', async () => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  for (let n = 0; n < 30; n += 1) {
    await attemptOf(harness, unsent, 'failed');
    await harness.clock.advance(RULES.windowMs / 8);
  }
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'closed' });
});

test('when the worker of a probe dies then another probe goes out after its lease', async () => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  for (let n = 0; n < 10; n += 1) await attemptOf(harness, unsent, 'failed');
  await harness.clock.advance(RULES.restMs);
  expect(await ask(harness, unsent)).toMatchObject({ kind: 'open' });
  const next = await pendingDelivery(harness);
  const waiting = await ask(harness, next);
  expect(waiting.kind).toBe('room');
  await harness.clock.advance(RULES.leaseMs);
  expect(await ask(harness, next)).toMatchObject({ kind: 'open' });
  expect((await harness.store.endpoints.read('acme', URL_A)).open_attempts).toBe(1);
});

test('when a receiver says 410 then its endpoint is disabled: new webhooks are skipped, begun ones end, jobs say failed', async () => {
  const harness = await startStore();
  const [fresh, begun, gone] = [await pendingDelivery(harness), await pendingDelivery(harness), await pendingDelivery(harness)];
  await attemptOf(harness, begun, 'failed');
  expect(await attemptOf(harness, gone, 'gone')).toMatchObject({ endpoint: 'disabled' });
  const at = harness.clock.now();
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'disabled', disabled_at: at, reason: 'gone' });
  expect(await ask(harness, fresh)).toMatchObject({ kind: 'skipped', state: 'skipped' });
  expect(await ask(harness, begun)).toMatchObject({ kind: 'skipped', state: 'failed' });
  expect(await fresh.read()).toMatchObject({ state: 'skipped', attempts_made: 0, next_attempt_at: null });
  for (const each of [fresh, begun]) expect((await harness.store.jobs.read(each.jobId))?.webhook.state).toBe('failed');
  expect(await harness.store.deliveries.overdue(harness.clock.now() + DAY, 10)).toEqual([]);
  expect(await harness.store.jobs.counters()).toMatchObject({ endpoints_disabled: 1 });
});

test('when every try has failed for five days then the endpoint is disabled, and one success in between begins them anew', async () => {
  const harness = await startStore();
  const unsent = await pendingDelivery(harness);
  await attemptOf(harness, unsent, 'failed');
  await harness.clock.advance(4 * DAY);
  await attemptOf(harness, await pendingDelivery(harness), 'ok');
  await attemptOf(harness, unsent, 'failed');
  await harness.clock.advance(5 * DAY - 1);
  expect(await attemptOf(harness, unsent, 'failed')).toMatchObject({ endpoint: '' });
  await harness.clock.advance(1);
  expect(await attemptOf(harness, unsent, 'failed')).toMatchObject({ endpoint: 'disabled' });
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'disabled', reason: 'failing' });
});

test('when a disabled endpoint is enabled then webhooks go out again; a resend goes past it, and its success enables it', async () => {
  const harness = await startStore();
  await attemptOf(harness, await pendingDelivery(harness), 'gone');
  await harness.clock.advance(1);
  const skipped = await pendingDelivery(harness);
  expect(await ask(harness, skipped)).toMatchObject({ kind: 'skipped' });

  expect(await harness.store.deliveries.resend(await skipped.read())).toBe(2);
  await attemptOf(harness, skipped, 'failed');
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'disabled' });
  await attemptOf(harness, skipped, 'ok');
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'closed', reason: null });

  await attemptOf(harness, await pendingDelivery(harness), 'gone');
  await harness.store.endpoints.enable('acme', URL_A);
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'closed', disabled_at: null, reason: null });
  expect(await ask(harness, await pendingDelivery(harness))).toMatchObject({ kind: 'open' });
});

test('a delivery that waits for a later try and is resent gets that one try past a disabled endpoint, and none after it', async () => {
  const harness = await startStore();
  const waiting = await pendingDelivery(harness);
  await attemptOf(harness, waiting, 'failed');
  await attemptOf(harness, await pendingDelivery(harness), 'gone');
  expect(await harness.store.deliveries.resend(await waiting.read())).toBe(2);
  await attemptOf(harness, waiting, 'failed');
  expect(await ask(harness, waiting)).toMatchObject({ kind: 'skipped', state: 'failed' });
});

test('when a try that was open before the receiver said 410 succeeds then the endpoint stays disabled', async () => {
  const harness = await startStore();
  const [before, gone] = [await pendingDelivery(harness), await pendingDelivery(harness)];
  const open = await ask(harness, before);
  await harness.clock.advance(5);
  await attemptOf(harness, gone, 'gone');
  await end(harness, before, open.lease, 'ok');
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'disabled' });
});

test('when a try that was open before its endpoint was recovered is answered 410 then the endpoint stays enabled, and one after it disables it', async () => {
  const harness = await startStore();
  const [before, after] = [await pendingDelivery(harness), await pendingDelivery(harness)];
  const open = await ask(harness, before);
  await harness.clock.advance(5);
  await harness.store.endpoints.enable('acme', URL_A);
  expect(await end(harness, before, open.lease, 'gone')).toMatchObject({ settled: true, endpoint: '' });
  expect(await before.read()).toMatchObject({ state: 'failed' });
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'closed', open_attempts: 0 });
  await harness.clock.advance(1);
  await attemptOf(harness, after, 'gone');
  expect(await harness.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'disabled' });
});

test('when an endpoint is recovered that was never used then that is forgotten within minutes, and of one in use after seven days', async () => {
  const harness = await startStore();
  const left = () => harness.redis.pttl(`{gj}:endpoint:${ENDPOINT.id}`);
  await harness.store.endpoints.enable('acme', URL_A);
  expect(await left()).toBeGreaterThan(RULES.leaseMs);
  expect(await left()).toBeLessThanOrEqual(300_000);
  await attemptOf(harness, await pendingDelivery(harness), 'failed');
  await harness.store.endpoints.enable('acme', URL_A);
  expect(await left()).toBeGreaterThan(7 * DAY - 60_000);
});

test('what is known of an endpoint is dropped seven days after its last use', async () => {
  const harness = await startStore();
  await attemptOf(harness, await pendingDelivery(harness), 'failed');
  await ask(harness, await pendingDelivery(harness));
  for (const key of [`{gj}:endpoint:${ENDPOINT.id}`, `{gj}:endpoint:${ENDPOINT.id}:attempts`]) {
    const ttl = await harness.redis.pttl(key);
    expect(ttl).toBeGreaterThan(7 * DAY - 60_000);
    expect(ttl).toBeLessThanOrEqual(7 * DAY);
  }
});

test('when an endpoint is in use then each half minute puts off that how it and its host fare is forgotten', async () => {
  const harness = await startStore();
  await attemptOf(harness, await pendingDelivery(harness), 'ok');
  const keys = [`{gj}:endpoint:${ENDPOINT.id}`, ...(await harness.redis.keys('{gj}:host:*'))];
  expect(keys).toHaveLength(2);
  for (const key of keys) await harness.redis.pexpire(key, DAY);
  await harness.clock.advance(RULES.bucketMs);
  await attemptOf(harness, await pendingDelivery(harness), 'ok');
  for (const key of keys) expect(await harness.redis.pttl(key)).toBeGreaterThan(7 * DAY - 60_000);
});
