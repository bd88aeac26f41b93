import { randomUUID } from 'node:crypto';
import { type EndpointView, ENDPOINT_RULES as RULES } from '@grsai-jobs/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AttemptLease, endpointRef, type OpenAttempt } from '../src/index.ts';
import { imageDoc, newJobId, type Started, startStore } from './harness.ts';

type Result = 'ok' | 'failed' | 'gone' | 'none';
/** Where a pending delivery stands: it has an entry, waits in the room, has an attempt open, or was on a worker that died. */
type Place = 'entry' | 'room' | 'open' | 'dead';

const URLS = ['https://a.example/x', 'https://a.example/y', 'https://b.example/x'] as const;

interface Delivery {
  id: string;
  url: string;
  step: number;
  place: Place;
  /** When it was due: those that have waited longest go first. */
  due: number;
  attempts_made: number;
  lost: number;
  lease: AttemptLease | null;
}

interface Breaker {
  till: number;
  rest: number;
  probe: string | null;
  probing: number;
}

/** What both an endpoint and a host know of their attempts. */
class Health {
  ended: { at: number; bad: boolean }[] = [];
  breaker: Breaker | null = null;

  blocks(now: number): boolean {
    return this.breaker !== null && (now < this.breaker.till || (this.breaker.probe !== null && now < this.breaker.probing));
  }

  tell(token: string, bad: boolean, now: number): void {
    if (!bad && this.breaker !== null) {
      this.breaker = null;
      this.ended = [];
      return;
    }
    this.ended.push({ at: now, bad });
    if (!bad) return;
    if (this.breaker !== null) {
      if (this.breaker.probe !== token) return;
      const rest = Math.min(this.breaker.rest * 2, RULES.maxRestMs);
      this.breaker = { till: now + rest, rest, probe: null, probing: 0 };
      return;
    }
    const bucket = (at: number) => Math.floor(at / RULES.bucketMs);
    const recent = this.ended.filter(({ at }) => bucket(at) > bucket(now) - RULES.windowMs / RULES.bucketMs);
    if (recent.length < RULES.minAttempts || recent.filter((each) => each.bad).length / recent.length < RULES.failedShare) return;
    this.breaker = { till: now + RULES.restMs, rest: RULES.restMs, probe: null, probing: 0 };
  }
}

/** The rules of permits, rooms and breakers in as few words as they can be said, to hold the scripts against. */
class Model {
  readonly deliveries: Delivery[] = [];
  readonly open = new Map<string, { url: string; began: number; id: string }>();
  readonly endpoints = new Map<
    string,
    Health & { permits: number; since: number | null; on: number; off: { at: number; why: 'gone' | 'failing' } | null }
  >(URLS.map((url) => [url, Object.assign(new Health(), { permits: RULES.permits as number, since: null, on: 0, off: null })]));
  readonly hosts = new Map(['a.example', 'b.example'].map((host) => [host, new Health()]));
  paused = false;

  endpoint(url: string) {
    const found = this.endpoints.get(url);
    if (found === undefined) throw new Error(url);
    return found;
  }

  host(url: string): Health {
    return this.hosts.get(new URL(url).hostname) ?? new Health();
  }

  room(url: string): Delivery[] {
    const own = this.deliveries.filter((each) => each.url === url && each.place === 'room');
    return own.sort((a, b) => a.due - b.due || (a.id < b.id ? -1 : 1));
  }

  lapse(now: number): void {
    for (const [token, { began }] of this.open) if (began + RULES.leaseMs <= now) this.open.delete(token);
  }

  whyNot(url: string, now: number): 'paused' | 'breaker' | 'permits' | null {
    this.lapse(now);
    if (this.paused) return 'paused';
    if (this.host(url).blocks(now) || this.endpoint(url).blocks(now)) return 'breaker';
    const open = [...this.open.values()].filter((each) => each.url === url).length;
    return open >= Math.floor(this.endpoint(url).permits) ? 'permits' : null;
  }

  begin(delivery: Delivery, token: string, now: number): void {
    delivery.place = 'open';
    delivery.lease = { endpoint: endpointRef('acme', delivery.url), token };
    this.open.set(token, { url: delivery.url, began: now, id: delivery.id });
    for (const { breaker } of [this.host(delivery.url), this.endpoint(delivery.url)])
      if (breaker !== null) Object.assign(breaker, { probe: token, probing: now + RULES.leaseMs });
  }

  drop(token: string): void {
    for (const { breaker } of [...this.hosts.values(), ...this.endpoints.values()])
      if (breaker?.probe === token) Object.assign(breaker, { probe: null, probing: 0 });
  }

  handOver(url: string, tokens: readonly string[], now: number): Delivery[] {
    const begun: Delivery[] = [];
    while (begun.length < tokens.length && this.endpoint(url).off === null && this.whyNot(url, now) === null) {
      const [first] = this.room(url);
      if (first === undefined) break;
      first.step += 1;
      this.begin(first, tokens[begun.length] ?? '', now);
      begun.push(first);
    }
    return begun;
  }

  end(delivery: Delivery, result: Result, answered: boolean, tookMs: number, now: number): void {
    const token = delivery.lease?.token ?? '';
    this.lapse(now);
    const was = this.open.get(token);
    this.open.delete(token);
    if (was === undefined || result === 'none') {
      this.drop(token);
      return;
    }
    const endpoint = this.endpoint(delivery.url);
    const quick = result === 'ok' && tookMs < RULES.quickMs;
    endpoint.permits = quick ? Math.min(RULES.maxPermits, endpoint.permits + RULES.permitsUp) : RULES.permits;
    this.host(delivery.url).tell(token, result !== 'ok' && !answered, now);
    endpoint.tell(token, result !== 'ok', now);
    if (result === 'ok') {
      endpoint.since = null;
      if (endpoint.off !== null && was.began > endpoint.off.at) endpoint.off = null;
      return;
    }
    endpoint.since ??= now;
    if (was.began < endpoint.on) return;
    if (result === 'gone') endpoint.off ??= { at: now, why: 'gone' };
    else if (now - endpoint.since >= RULES.disableAfterMs) endpoint.off ??= { at: now, why: 'failing' };
  }

  view(url: string, now: number): EndpointView {
    this.lapse(now);
    const { breaker, since, off, permits } = this.endpoint(url);
    const state = breaker === null ? 'closed' : now < breaker.till ? 'open' : 'half_open';
    return {
      state: off ? 'disabled' : state,
      failing_since: since,
      disabled_at: off?.at ?? null,
      reason: off?.why ?? null,
      open_attempts: [...this.open.values()].filter((each) => each.url === url).length,
      permits: Math.floor(permits),
      waiting: this.room(url).length,
    };
  }
}

const pick = fc.nat(30);
const url = fc.constantFrom(...URLS);
const COMMAND = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      act: fc.constant('finish' as const),
      url,
      by: fc.constantFrom('entry' as const, 'inline' as const, 'busy' as const),
      cut: fc.boolean(),
    }),
  },
  { weight: 7, arbitrary: fc.record({ act: fc.constant('entry' as const), pick, share: fc.boolean(), cut: fc.boolean() }) },
  {
    weight: 10,
    arbitrary: fc.record({
      act: fc.constant('end' as const),
      pick,
      result: fc.oneof(
        { weight: 25, arbitrary: fc.constantFrom<Result[]>('failed', 'failed', 'ok', 'ok', 'none') },
        { weight: 1, arbitrary: fc.constant<Result>('gone') },
      ),
      answered: fc.boolean(),
      tookMs: fc.constantFrom(1, 999, 1000),
      wants: fc.nat(2),
      cut: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('release' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('die' as const), pick }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('check' as const), url }) },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('sleep' as const),
      ms: fc.constantFrom(1, 2000, 12_000, 31_000, 300_000, 4 * 86_400_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('pause' as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('enable' as const), url }) },
);
type Command = typeof COMMAND extends fc.Arbitrary<infer T> ? T : never;
type Of<A extends Command['act']> = Extract<Command, { act: A }>;

interface World {
  harness: Started;
  model: Model;
}

const placed = (w: World, place: Place, n: number): Delivery | undefined => {
  const own = w.model.deliveries.filter((each) => each.place === place);
  return own[n % Math.max(1, own.length)];
};

/** The answer of the next script is lost on its way, and the client library asks again. */
async function maybeCut<T>(w: World, cut: boolean, work: () => Promise<T>): Promise<T> {
  const lost = cut ? w.harness.proxy.cutAfterNextReply(({ name }) => name === 'evalsha' || name === 'eval') : undefined;
  const done = await work();
  await lost;
  return done;
}

const brief = (begun: readonly OpenAttempt[]) => begun.map(({ delivery, lease }) => [delivery.id, delivery.step, lease.token]);

async function finish(w: World, command: Of<'finish'>): Promise<void> {
  const { harness, model } = w;
  const now = harness.clock.now();
  const id = newJobId();
  await harness.store.transitions.create({ id, tenant: 'acme', doc: imageDoc({ webhook: { url: command.url } }) });
  const job = await harness.store.jobs.read(id);
  if (job === null) throw new Error('no record');
  const token = randomUUID();
  const moved = await maybeCut(w, command.cut, () =>
    harness.store.transitions.commit(
      job,
      { kind: 'finish', status: 'failed' },
      {
        attempt: command.by === 'inline' ? { token } : command.by === 'busy' ? { busy: true } : {},
      },
    ),
  );
  const delivery: Delivery = {
    id: (await harness.store.jobs.read(id))?.webhook.last_delivery_id ?? '',
    url: command.url,
    step: 1,
    place: 'entry',
    due: now,
    attempts_made: 0,
    lost: 0,
    lease: null,
  };
  const why = model.whyNot(command.url, now);
  model.deliveries.push(delivery);
  if (model.endpoint(command.url).off === null) {
    if (why === 'permits' || why === 'breaker') delivery.place = 'room';
    else if (why === null && command.by === 'busy' && [...model.open.values()].some((each) => each.url === command.url))
      delivery.place = 'room';
    else if (why === null && command.by === 'inline') model.begin(delivery, token, now);
  }
  expect(moved).toMatchObject({ kind: 'ok', placed: { kind: delivery.place } });
}

async function entry(w: World, command: Of<'entry'>): Promise<void> {
  const { harness, model } = w;
  const now = harness.clock.now();
  const delivery = placed(w, 'entry', command.pick);
  if (delivery === undefined) return;
  const lease = { endpoint: endpointRef('acme', delivery.url), token: randomUUID() };
  const answer = await maybeCut(w, command.cut, () =>
    harness.store.deliveries.open({ id: delivery.id, step: delivery.step }, lease, { share: command.share }),
  );
  const { endpoint, lost } = { endpoint: model.endpoint(delivery.url), lost: delivery.lease };
  if (lost !== null) {
    model.open.delete(lost.token);
    model.drop(lost.token);
    delivery.lease = null;
    delivery.lost += 1;
  }
  if (delivery.lost >= RULES.maxLost) {
    expect(answer.kind).toBe('lost');
    model.deliveries.splice(model.deliveries.indexOf(delivery), 1);
    return;
  }
  if (endpoint.off !== null) {
    expect(answer).toMatchObject({ kind: 'skipped', state: delivery.attempts_made > 0 ? 'failed' : 'skipped' });
    model.deliveries.splice(model.deliveries.indexOf(delivery), 1);
    return;
  }
  const why = model.whyNot(delivery.url, now) ?? (command.share ? null : 'share');
  if (why === null && model.room(delivery.url).length === 0) {
    model.begin(delivery, lease.token, now);
    expect(answer).toMatchObject({ kind: 'open', swapped: false, delivery: { id: delivery.id, step: delivery.step } });
    return;
  }
  delivery.place = 'room';
  const [first] = why === null ? model.handOver(delivery.url, [lease.token], now) : [];
  if (first === undefined) expect(answer).toEqual({ kind: 'room', why: why ?? 'permits' });
  else
    expect(answer).toMatchObject({
      kind: 'open',
      swapped: true,
      delivery: { id: first.id, step: first.step },
      lease: { token: lease.token },
    });
}

async function endOne(w: World, command: Of<'end'>): Promise<void> {
  const { harness, model } = w;
  const now = harness.clock.now();
  const delivery = placed(w, 'open', command.pick);
  if (delivery?.lease == null) return;
  const { result, answered, tookMs } = command;
  const read = await harness.store.deliveries.read(delivery.id);
  if (read === null) throw new Error('gone');
  const wants = Array.from({ length: command.wants }, () => randomUUID());
  const state = result === 'ok' ? 'delivered' : result === 'gone' ? 'failed' : 'pending';
  const settled = await maybeCut(w, command.cut, () =>
    harness.store.deliveries.settle(read.delivery, {
      state,
      attempt: { number: delivery.attempts_made + 1, at: now, duration_ms: tookMs, ok: result === 'ok', phase: 'response' },
      wants,
      ...(state === 'pending' ? { waitMs: 0 } : {}),
      lease: { ...(delivery.lease as AttemptLease), result, answered, tookMs },
    }),
  );
  model.end(delivery, result, answered, tookMs, now);
  Object.assign(delivery, { lease: null, place: 'entry', due: now, attempts_made: delivery.attempts_made + 1, lost: 0 });
  if (state !== 'pending') model.deliveries.splice(model.deliveries.indexOf(delivery), 1);
  const begun = model.handOver(delivery.url, wants, now);
  expect(settled.settled).toBe(true);
  expect(brief(settled.begun)).toEqual(begun.map(({ id, step, lease }) => [id, step, lease?.token]));
}

/** A check of the room, as the periodic task makes it. */
async function check(w: World, { url: at }: Of<'check'>): Promise<void> {
  const { harness, model } = w;
  const now = harness.clock.now();
  const endpoint = model.endpoint(at);
  const why = model.whyNot(at, now);
  const open = [...model.open.values()].filter((each) => each.url === at).length;
  const probes = endpoint.breaker !== null || model.host(at).breaker !== null;
  const free = probes ? 1 : Math.floor(endpoint.permits) - open;
  const count = endpoint.off !== null ? (why === 'paused' ? 0 : Number.POSITIVE_INFINITY) : why === null ? free : 0;
  const leaving = model.room(at).slice(0, count);
  const entries = await harness.store.deliveries.letIn(endpointRef('acme', at));
  expect(entries.map(({ id, step }) => [id, step])).toEqual(leaving.map(({ id, step }) => [id, step + 1]));
  for (const each of leaving) Object.assign(each, { place: 'entry', step: each.step + 1 });
}

async function step(w: World, command: Command): Promise<void> {
  const { harness, model } = w;
  if (command.act === 'finish') return await finish(w, command);
  if (command.act === 'entry') return await entry(w, command);
  if (command.act === 'end') return await endOne(w, command);
  if (command.act === 'check') return await check(w, command);
  if (command.act === 'sleep') return void (await harness.clock.advance(command.ms));
  if (command.act === 'enable') {
    await harness.store.endpoints.enable('acme', command.url);
    Object.assign(model.endpoint(command.url), { since: null, on: harness.clock.now(), off: null, breaker: null, ended: [] });
    Object.assign(model.host(command.url), { breaker: null, ended: [] });
    return;
  }
  if (command.act === 'pause') {
    model.paused = !model.paused;
    await (model.paused ? harness.redis.hset('{gj}:pauses:deliver', 'operator', '{}') : harness.redis.del('{gj}:pauses:deliver'));
    return;
  }
  const delivery = placed(w, 'open', command.pick);
  if (delivery?.lease == null) return;
  if (command.act === 'release') {
    await harness.store.deliveries.release(delivery.id, delivery.lease);
    model.open.delete(delivery.lease.token);
    model.drop(delivery.lease.token);
    Object.assign(delivery, { lease: null, place: 'entry' });
    return;
  }
  // Its worker is dead. The stalled entry, or a repair, brings it back: here at once, with its permit still taken.
  delivery.place = 'entry';
}

test('whatever workers ask and report, in any order, with answers lost, the scripts treat endpoints as their rules say', async () => {
  const harness = await startStore();
  await fc.assert(
    fc.asyncProperty(fc.array(COMMAND, { minLength: 30, maxLength: 120 }), async (commands) => {
      await harness.redis.flushall();
      const w: World = { harness, model: new Model() };
      for (const command of commands) {
        await step(w, command);
        const now = harness.clock.now();
        for (const at of URLS) {
          const name = endpointRef('acme', at);
          expect(await harness.store.endpoints.read('acme', at)).toEqual(w.model.view(at, now));
          expect(await harness.redis.zrange(`{gj}:endpoint:${name.id}:room`, '0', '-1')).toEqual(
            w.model.room(at).map(({ id }) => id),
          );
        }
        // Each pending delivery stands in the room of its endpoint or is due, and a room is checked as long as somebody waits in it.
        const due = new Set(await harness.redis.zrange('{gj}:due:deliveries', '0', '-1'));
        for (const each of w.model.deliveries) expect([each.id, due.has(each.id)]).toEqual([each.id, each.place !== 'room']);
        expect(await harness.redis.zcard('{gj}:rooms')).toBe(URLS.filter((at) => w.model.room(at).length > 0).length);
      }
    }),
    { numRuns: 30, endOnFailure: true },
  );
}, 120_000);
