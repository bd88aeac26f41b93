import { ENDPOINT_RULES as RULES } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { endpointId } from '../src/index.ts';
import { startStore } from './kit.ts';
import { ask, ENDPOINT, end, heldTry, owedDelivery, tryOf, URL_A } from './webhooks-kit.ts';

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

test('when many workers ask at once then five tries are open, and the others have a slot of their own each', async () => {
  const kit = await startStore();
  const owed = await Promise.all(Array.from({ length: 40 }, () => owedDelivery(kit)));
  const answers = await Promise.all(owed.map((each) => ask(kit, each)));
  expect(answers.filter((answer) => answer.kind === 'open')).toHaveLength(5);
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ open_tries: 5, state: 'closed' });

  const slots = (await Promise.all(owed.map((each) => each.read()))).flatMap((delivery, i) =>
    answers[i]?.kind === 'wait' ? [delivery.next_attempt_at ?? 0] : [],
  );
  const sorted = slots.toSorted((a, b) => a - b);
  const gap = RULES.firstAverageMs / RULES.openTries;
  expect(sorted).toEqual(Array.from({ length: 35 }, (_, i) => kit.clock.now() + (i + 1) * gap));
  // Another endpoint has places of its own.
  const elsewhere = await owedDelivery(kit, 'https://caller.example/other');
  expect(await ask(kit, elsewhere, heldTry(endpointId('acme', 'https://caller.example/other')))).toMatchObject({ kind: 'open' });
});

test('when a worker dies with its tries open then their places are free after the lease', async () => {
  const kit = await startStore();
  const owed = await Promise.all(Array.from({ length: 6 }, () => owedDelivery(kit)));
  for (const each of owed.slice(0, 5)) expect(await ask(kit, each)).toMatchObject({ kind: 'open' });
  const last = owed[5] ?? (await owedDelivery(kit));
  expect(await ask(kit, last)).toMatchObject({ kind: 'wait', why: 'places' });
  await kit.clock.advance(RULES.leaseMs - 1);
  expect(await ask(kit, last)).toMatchObject({ kind: 'wait', why: 'places' });
  await kit.clock.advance(RULES.maxGapMs * RULES.openTries);
  expect(await ask(kit, last)).toMatchObject({ kind: 'open' });
  expect((await kit.store.endpoints.read('acme', URL_A)).open_tries).toBe(1);
});

test('when a try is broken off on our side then its place is free at once and the endpoint is none the worse', async () => {
  const kit = await startStore();
  const owed = await Promise.all(Array.from({ length: 6 }, () => owedDelivery(kit)));
  const answers = [];
  for (const each of owed.slice(0, 5)) answers.push(await ask(kit, each));
  await kit.store.deliveries.release(answers[0]?.held ?? heldTry());
  expect(await ask(kit, owed[5] ?? (await owedDelivery(kit)))).toMatchObject({ kind: 'open' });
  await end(kit, owed[1] ?? (await owedDelivery(kit)), answers[1]?.held ?? heldTry(), 'none');
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ failing_since: null, open_tries: 4 });
});

test('when tries become slow then the slots lie further apart, and the line shrinks as they become quick', async () => {
  const kit = await startStore();
  for (let n = 0; n < 5; n += 1) await tryOf(kit, await owedDelivery(kit), 'ok', 5000);
  const open = [];
  for (let n = 0; n < 5; n += 1) {
    const owed = await owedDelivery(kit);
    open.push({ owed, held: (await ask(kit, owed)).held });
  }
  const slot = async () => {
    const asked = await ask(kit, await owedDelivery(kit));
    return asked.kind === 'wait' ? asked.ms : 0;
  };
  expect([await slot(), await slot(), await slot()]).toEqual([1000, 2000, 3000]);
  for (const { owed, held } of open) await end(kit, owed, held, 'ok');
  // Five tries of no time at all: the average falls to a third, and the line of three with it.
  for (let n = 0; n < 5; n += 1) await ask(kit, await owedDelivery(kit));
  expect(await slot()).toBe(Math.ceil(3000 * 0.8 ** 5 + 1000 * 0.8 ** 5));
});

test('when seven of ten tries within five minutes failed then no try goes out but a probe, and longer and longer not', async () => {
  const kit = await startStore();
  const owed = await owedDelivery(kit);
  for (let n = 0; n < 3; n += 1) await tryOf(kit, await owedDelivery(kit), 'ok');
  for (let n = 0; n < 6; n += 1) expect(await tryOf(kit, owed, 'failed')).toMatchObject({ endpoint: '' });
  expect(await tryOf(kit, owed, 'failed')).toMatchObject({ endpoint: 'opened' });
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'open', disabled_at: null });

  let rest: number = RULES.restMs;
  for (let n = 0; n < 7; n += 1) {
    // It comes back when the breaker lets a probe through; whoever asks while that is open waits behind it.
    await kit.clock.advance(rest - 1);
    expect(await ask(kit, await owedDelivery(kit))).toMatchObject({ kind: 'wait', why: 'breaker' });
    await kit.clock.advance(1);
    expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'half_open' });
    const probe = await ask(kit, owed);
    expect(probe.kind).toBe('open');
    expect(await ask(kit, await owedDelivery(kit))).toMatchObject({ kind: 'wait', why: 'breaker' });
    await end(kit, owed, probe.held, 'failed');
    rest = Math.min(rest * 2, RULES.maxRestMs);
  }
  expect(rest).toBe(RULES.maxRestMs);
  expect((await owed.read()).tries).toBe(14);

  await kit.clock.advance(rest);
  expect(await tryOf(kit, owed, 'ok')).toMatchObject({ endpoint: 'closed' });
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'closed', failing_since: null });
  expect(await kit.store.jobs.counters()).toMatchObject({ breakers_opened: 1 });
});

test.each([
  ['six of nine', 3, 6],
  ['nine of nine', 0, 9],
  ['eight of twelve', 4, 8],
])('when %s tries failed then the breaker stays closed', async (_, good, bad) => {
  const kit = await startStore();
  const owed = await owedDelivery(kit);
  for (let n = 0; n < good; n += 1) await tryOf(kit, await owedDelivery(kit), 'ok');
  for (let n = 0; n < bad; n += 1) await tryOf(kit, owed, 'failed');
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'closed' });
});

test('when failures lie further apart than five minutes then the breaker stays closed', async () => {
  const kit = await startStore();
  const owed = await owedDelivery(kit);
  for (let n = 0; n < 30; n += 1) {
    await tryOf(kit, owed, 'failed');
    await kit.clock.advance(RULES.windowMs / 8);
  }
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'closed' });
});

test('when the worker of a probe dies then another probe goes out after its lease', async () => {
  const kit = await startStore();
  const owed = await owedDelivery(kit);
  for (let n = 0; n < 10; n += 1) await tryOf(kit, owed, 'failed');
  await kit.clock.advance(RULES.restMs);
  expect(await ask(kit, owed)).toMatchObject({ kind: 'open' });
  const next = await owedDelivery(kit);
  const waiting = await ask(kit, next);
  expect(waiting.kind).toBe('wait');
  await kit.clock.advance(RULES.leaseMs);
  expect(await ask(kit, next)).toMatchObject({ kind: 'open' });
  expect((await kit.store.endpoints.read('acme', URL_A)).open_tries).toBe(1);
});

test('when a receiver says 410 then its endpoint is disabled: new webhooks are skipped, begun ones end, jobs say failed', async () => {
  const kit = await startStore();
  const [fresh, begun, gone] = [await owedDelivery(kit), await owedDelivery(kit), await owedDelivery(kit)];
  await tryOf(kit, begun, 'failed');
  expect(await tryOf(kit, gone, 'gone')).toMatchObject({ endpoint: 'disabled' });
  const at = kit.clock.now();
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'disabled', disabled_at: at, reason: 'gone' });
  expect(await ask(kit, fresh)).toMatchObject({ kind: 'skipped', state: 'skipped' });
  expect(await ask(kit, begun)).toMatchObject({ kind: 'skipped', state: 'failed' });
  expect(await fresh.read()).toMatchObject({ state: 'skipped', tries: 0, next_attempt_at: null });
  for (const each of [fresh, begun]) expect((await kit.store.jobs.read(each.jobId))?.webhook.state).toBe('failed');
  expect(await kit.store.deliveries.overdue(kit.clock.now() + DAY, 10)).toEqual([]);
  expect(await kit.store.jobs.counters()).toMatchObject({ endpoints_disabled: 1 });
});

test('when every try has failed for five days then the endpoint is disabled, and one success in between begins them anew', async () => {
  const kit = await startStore();
  const owed = await owedDelivery(kit);
  await tryOf(kit, owed, 'failed');
  await kit.clock.advance(4 * DAY);
  await tryOf(kit, await owedDelivery(kit), 'ok');
  await tryOf(kit, owed, 'failed');
  await kit.clock.advance(5 * DAY - 1);
  expect(await tryOf(kit, owed, 'failed')).toMatchObject({ endpoint: '' });
  await kit.clock.advance(1);
  expect(await tryOf(kit, owed, 'failed')).toMatchObject({ endpoint: 'disabled' });
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'disabled', reason: 'failing' });
});

test('when a disabled endpoint is enabled then webhooks go out again; a resend goes past it, and its success enables it', async () => {
  const kit = await startStore();
  await tryOf(kit, await owedDelivery(kit), 'gone');
  await kit.clock.advance(1);
  const skipped = await owedDelivery(kit);
  expect(await ask(kit, skipped)).toMatchObject({ kind: 'skipped' });

  expect(await kit.store.deliveries.resend(await skipped.read(), kit.clock.now())).toBe(2);
  await tryOf(kit, skipped, 'failed');
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'disabled' });
  await tryOf(kit, skipped, 'ok');
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'closed', reason: null });

  await tryOf(kit, await owedDelivery(kit), 'gone');
  await kit.store.endpoints.enable('acme', URL_A);
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'closed', disabled_at: null, reason: null });
  expect(await ask(kit, await owedDelivery(kit))).toMatchObject({ kind: 'open' });
});

test('a delivery that waits for a later try and is resent gets that one try past a disabled endpoint, and none after it', async () => {
  const kit = await startStore();
  const waiting = await owedDelivery(kit);
  await tryOf(kit, waiting, 'failed');
  await tryOf(kit, await owedDelivery(kit), 'gone');
  expect(await kit.store.deliveries.resend(await waiting.read(), kit.clock.now())).toBe(2);
  await tryOf(kit, waiting, 'failed');
  expect(await ask(kit, waiting)).toMatchObject({ kind: 'skipped', state: 'failed' });
});

test('when a try that was open before the receiver said 410 succeeds then the endpoint stays disabled', async () => {
  const kit = await startStore();
  const [before, gone] = [await owedDelivery(kit), await owedDelivery(kit)];
  const open = await ask(kit, before);
  await kit.clock.advance(5);
  await tryOf(kit, gone, 'gone');
  await end(kit, before, open.held, 'ok');
  expect(await kit.store.endpoints.read('acme', URL_A)).toMatchObject({ state: 'disabled' });
});

test('what is known of an endpoint is dropped seven days after its last use', async () => {
  const kit = await startStore();
  await tryOf(kit, await owedDelivery(kit), 'failed');
  await ask(kit, await owedDelivery(kit));
  for (const key of [`{gj}:endpoint:${ENDPOINT}`, `{gj}:endpoint:${ENDPOINT}:tries`]) {
    const ttl = await kit.redis.pttl(key);
    expect(ttl).toBeGreaterThan(7 * DAY - 60_000);
    expect(ttl).toBeLessThanOrEqual(7 * DAY);
  }
});
