import { type EndpointView, ENDPOINT_RULES as RULES } from '@grsai-jobs/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HeldTry } from '../src/index.ts';
import { type Started, startStore } from './kit.ts';
import { ask, end, heldTry, type Owed, owedDelivery, URL_A } from './webhooks-kit.ts';

type Result = 'ok' | 'failed' | 'gone' | 'none';

/** The rules of an endpoint in as few words as they can be said, to hold the scripts against. */
class Model {
  /** Open tries → when they began. */
  readonly open = new Map<string, number>();
  ended: { at: number; bad: boolean }[] = [];
  since: number | null = null;
  breaker: { till: number; rest: number; probe: string | null } | null = null;
  disabled: { at: number; reason: 'gone' | 'failing' } | null = null;

  lapse(now: number): void {
    for (const [token, began] of this.open) if (began + RULES.leaseMs <= now) this.open.delete(token);
  }

  ask(token: string, next: number, now: number): string {
    if (next - now > 1000) return 'early';
    if (this.disabled) return 'skipped';
    if (this.breaker && (now < this.breaker.till || this.open.has(this.breaker.probe ?? ''))) return 'breaker';
    if (this.open.size >= RULES.openTries) return 'places';
    this.open.set(token, now);
    if (this.breaker) this.breaker.probe = token;
    return 'open';
  }

  end(token: string, result: Result, now: number): void {
    const began = this.open.get(token);
    if (!this.open.delete(token) || began === undefined || result === 'none') return;
    const bucket = (at: number) => Math.floor(at / RULES.bucketMs);
    this.ended.push({ at: now, bad: result !== 'ok' });
    if (result === 'ok') {
      this.since = null;
      if (this.breaker) this.ended = [];
      this.breaker = null;
      if (this.disabled && began > this.disabled.at) this.disabled = null;
      return;
    }
    this.since ??= now;
    const recent = this.ended.filter(({ at }) => bucket(at) > bucket(now) - RULES.windowMs / RULES.bucketMs);
    const share = recent.filter(({ bad }) => bad).length / recent.length;
    if (this.breaker?.probe === token) {
      const rest = Math.min(this.breaker.rest * 2, RULES.maxRestMs);
      this.breaker = { till: now + rest, rest, probe: null };
    } else if (!this.breaker && recent.length >= RULES.minTries && share >= RULES.failedShare) {
      this.breaker = { till: now + RULES.restMs, rest: RULES.restMs, probe: null };
    }
    if (result === 'gone') this.disabled ??= { at: now, reason: 'gone' };
    else if (now - this.since >= RULES.disableAfterMs) this.disabled ??= { at: now, reason: 'failing' };
  }

  view(now: number): EndpointView {
    const breaker = this.breaker === null ? 'closed' : now < this.breaker.till ? 'open' : 'half_open';
    return {
      state: this.disabled ? 'disabled' : breaker,
      failing_since: this.since,
      disabled_at: this.disabled?.at ?? null,
      reason: this.disabled?.reason ?? null,
      open_tries: this.open.size,
    };
  }
}

const COMMAND = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('burst' as const),
      result: fc.constantFrom<Result[]>('failed', 'failed', 'failed', 'ok'),
      tries: fc.integer({ min: 2, max: 8 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ act: fc.constant('ask' as const), pick: fc.nat(11), again: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('end' as const),
      pick: fc.nat(9),
      result: fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom<Result[]>('failed', 'failed', 'failed', 'ok', 'none') },
        { weight: 1, arbitrary: fc.constant<Result>('gone') },
      ),
      twice: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('sleep' as const),
      ms: fc.constantFrom(1, 20, 200, 2000, 2000, 12_000, 12_000, 31_000, 300_000, 4 * 86_400_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('die' as const), pick: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('enable' as const) }) },
);
type Command = typeof COMMAND extends fc.Arbitrary<infer T> ? T : never;

/** Deliveries to one endpoint, the tries of them that workers hold, and what the model makes of it. */
interface World {
  kit: Started;
  model: Model;
  owed: Owed[];
  held: { owed: Owed; held: HeldTry }[];
}

async function askFor(w: World, command: Extract<Command, { act: 'ask' }>): Promise<void> {
  const now = w.kit.clock.now();
  const free = w.owed.filter((each) => !w.held.some(({ owed }) => owed === each));
  const owed = free[command.pick % Math.max(1, free.length)];
  if (owed === undefined) return;
  const held = heldTry();
  const before = await owed.read();
  w.model.lapse(now);
  const expected = w.model.ask(held.token, before.next_attempt_at ?? now, now);
  const answer = await ask(w.kit, owed, held);
  expect(answer.kind === 'wait' ? answer.why : answer.kind).toBe(expected);
  const after = await owed.read();
  // A wait spends no try, and its slot lies ahead.
  expect(after.tries).toBe(before.tries);
  if (expected === 'places' || expected === 'breaker') expect(after.next_attempt_at).toBeGreaterThan(now);
  if (command.again && expected !== 'places' && expected !== 'breaker') {
    const { kind } = await ask(w.kit, owed, held);
    expect(kind).toBe(answer.kind);
  }
  if (expected === 'open') w.held.push({ owed, held });
  if (expected === 'skipped') w.owed[w.owed.indexOf(owed)] = await owedDelivery(w.kit);
}

async function endOne(w: World, command: Extract<Command, { act: 'end' }>): Promise<void> {
  const [one] = w.held.splice(command.pick % Math.max(1, w.held.length), 1);
  if (one === undefined) return;
  w.model.lapse(w.kit.clock.now());
  w.model.end(one.held.token, command.result, w.kit.clock.now());
  await end(w.kit, one.owed, one.held, command.result);
  if (command.twice) await end(w.kit, one.owed, one.held, command.result);
  const { state } = await one.owed.read();
  if (state !== 'pending') w.owed[w.owed.indexOf(one.owed)] = await owedDelivery(w.kit);
}

/** Whole tries one after another, as many as are let out. */
async function burst(w: World, { result, tries }: Extract<Command, { act: 'burst' }>): Promise<void> {
  for (let n = 0; n < tries; n += 1) {
    await askFor(w, { act: 'ask', pick: n, again: false });
    await endOne(w, { act: 'end', pick: w.held.length - 1, result, twice: false });
  }
}

async function step(w: World, command: Command): Promise<void> {
  if (command.act === 'ask') await askFor(w, command);
  else if (command.act === 'end') await endOne(w, command);
  else if (command.act === 'sleep') await w.kit.clock.advance(command.ms);
  else if (command.act === 'burst') await burst(w, command);
  else if (command.act === 'die') w.held.splice(command.pick % Math.max(1, w.held.length), 1);
  else {
    await w.kit.store.endpoints.enable('acme', URL_A);
    Object.assign(w.model, { since: null, breaker: null, disabled: null, ended: [] });
  }
}

test('whatever workers ask and tell, in any order, the scripts treat an endpoint as its rules say', async () => {
  const kit = await startStore();
  await fc.assert(
    fc.asyncProperty(fc.array(COMMAND, { minLength: 20, maxLength: 80 }), async (commands) => {
      await kit.redis.flushall();
      const w: World = { kit, model: new Model(), owed: [], held: [] };
      w.owed = await Promise.all(Array.from({ length: 12 }, () => owedDelivery(kit)));
      for (const command of commands) {
        await step(w, command);
        const now = kit.clock.now();
        const living = new Model();
        Object.assign(living, w.model, { open: new Map(w.model.open) });
        living.lapse(now);
        expect(await kit.store.endpoints.read('acme', URL_A)).toEqual(living.view(now));
        expect(living.open.size).toBeLessThanOrEqual(RULES.openTries);
      }
    }),
    { numRuns: 40 },
  );
}, 60_000);
