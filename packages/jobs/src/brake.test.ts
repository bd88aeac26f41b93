import { describe, expect, test } from 'vitest';
import {
  BRAKE_RULES,
  type BrakeState,
  covers,
  isOfOneTenant,
  NO_BRAKE,
  type Noted,
  noteAnswer,
  noteRefusal,
  openBrakes,
  refusalText,
  saysOfModel,
  type UnknownRefusal,
} from './brake.ts';
import { decideCall, type Observation } from './retry-table.ts';

const A = { queue: 'submit', model: 'm1', tenant: 'acme' } as const;
const ids = Array.from({ length: 20_000 }, (_, i) => `call ${i}`);
const refusal = (more: Partial<UnknownRefusal> = {}): UnknownRefusal => ({
  ...A,
  id: ids.pop() ?? '',
  text: 'sig_1',
  raw: 'HTTP 400: no',
  at: 1000,
  begun_at: 900,
  ...more,
});

/** Notes refusals one after the other; what came of each. */
function after(refusals: readonly Partial<UnknownRefusal>[], others = false, from: BrakeState = NO_BRAKE): Noted[] {
  let state = from;
  return refusals.map((more) => {
    const noted = noteRefusal(state, refusal(more), others);
    state = noted.state;
    return noted;
  });
}
const times = (n: number, more: Partial<UnknownRefusal> = {}) => Array.from({ length: n }, () => more);
const last = <T>(list: readonly T[]): T => list.at(-1) as T;
const shape = (noted: Noted) => noted.state.brakes.map(({ model, tenant }) => [model, tenant]);

describe('when the last calls of one model were refused with one unknown text', () => {
  test('then seven change nothing, the eighth closes the brake, and each of them is its own job failure', () => {
    const noted = after(times(9));
    expect(noted.slice(0, 7).map(({ closed }) => closed)).toEqual(times(7).map(() => null));
    expect(noted[7]?.closed).toMatchObject({ model: 'm1', tenant: null, raw: 'HTTP 400: no', since: 1000, tenants: ['acme'] });
    expect(noted.map(({ held }) => held)).toEqual([...times(8).map(() => false), true]);
    expect(noted[8]?.closed).toBeNull();
  });

  test.each<[string, Partial<UnknownRefusal>]>([
    ['another text', { text: 'sig_2' }],
    ['another text, at a count of one', { text: 'sig_3' }],
  ])('and %s was among them then the count begins anew', (_, odd) => {
    const noted = after([...times(7), odd, ...times(7)]);
    expect(last(noted).state.brakes).toEqual([]);
    expect(last(after(times(1), false, last(noted).state)).closed).not.toBeNull();
  });

  test('and one of them is noted again, since the answer was lost, then it counts once', () => {
    const noted = after([...times(6), ...times(5, { id: 'the same' })]);
    expect(last(noted).state.brakes).toEqual([]);
    expect(last(after(times(1), false, last(noted).state)).closed).not.toBeNull();
  });

  test('and one was answered in between then the count begins anew', () => {
    const seven = last(after(times(7))).state;
    const well = noteAnswer(seven, A, 0);
    expect(well.state).toEqual(NO_BRAKE);
    expect(last(after(times(7), false, well.state)).state.brakes).toEqual([]);
  });

  test('and a call of another model was answered then its count goes on', () => {
    const seven = last(after(times(7))).state;
    const well = noteAnswer(seven, { ...A, model: 'm2' }, 0);
    expect(last(after(times(1), false, well.state)).closed).toMatchObject({ model: 'm1' });
  });

  test('and calls of the other queue were too then each queue counts for itself', () => {
    const noted = after(Array.from({ length: 14 }, (_, i) => ({ queue: i % 2 ? 'call' : 'submit' }) as const));
    expect(last(noted).state.brakes).toEqual([]);
  });
});

describe('when the refusals were of one tenant', () => {
  test('and another has work then only jobs of that tenant and model wait', () => {
    const state = last(after(times(8), true)).state;
    expect(state.brakes.map(({ model, tenant }) => [model, tenant])).toEqual([['m1', 'acme']]);
    const [brake] = state.brakes;
    if (brake === undefined) throw new Error('no brake');
    expect(covers(brake, A)).toBe(true);
    expect(covers(brake, { ...A, tenant: 'other' })).toBe(false);
    expect(covers(brake, { ...A, model: 'm2' })).toBe(false);
    expect(covers(brake, { ...A, queue: 'call' })).toBe(false);
  });

  test('and no other has then all jobs of the model wait', () => expect(shape(last(after(times(8))))).toEqual([['m1', null]]));

  test('and then another tenant is refused the same then all wait, and that job is not to blame', () => {
    const one = last(after(times(8), true)).state;
    const noted = noteRefusal(one, refusal({ tenant: 'other', id: 'b2' }), true);
    expect(noted.held).toBe(true);
    expect(shape(noted)).toEqual([['m1', null]]);
  });

  test('and the other has been idle since then its probes do not stop the other', () => {
    const one = last(after(times(8), true)).state;
    const noted = noteRefusal(one, refusal({ begun_at: 2000, at: 2100 }), false);
    expect(noted.held).toBe(true);
    expect(shape(noted)).toEqual([['m1', 'acme']]);
  });

  test('and another tenant is answered well then that tenant still waits', () => {
    const one = last(after(times(8), true)).state;
    const noted = noteAnswer(one, { ...A, tenant: 'other' }, 5000);
    expect(noted.opened).toEqual([]);
    expect(shape(noted)).toEqual([['m1', 'acme']]);
  });

  test('then others matter only for the refusal that closes', () => {
    const seven = last(after(times(7))).state;
    expect(isOfOneTenant(NO_BRAKE, refusal())).toBe(false);
    expect(isOfOneTenant(seven, refusal())).toBe(true);
    expect(isOfOneTenant(seven, refusal({ tenant: 'other' }))).toBe(false);
    expect(isOfOneTenant(last(after(times(8))).state, refusal())).toBe(false);
  });
});

describe('when several models are refused with one text', () => {
  const turns = (n: number, models: number) => Array.from({ length: n }, (_, i) => ({ model: `m${i % models}` }));

  test.each([2, 3, 8])('and there are %d of them then all models of the queue wait after eight in all', (models) => {
    const noted = after(turns(8, models));
    expect(shape(last(noted))).toEqual([[null, null]]);
    expect(noted.map(({ held }) => held)).toEqual(times(8).map(() => false));
  });

  test('and one had closed its brake before then the next model closes it for all, and its job waits', () => {
    const noted = after([...times(8), { model: 'm2' }]);
    expect(last(noted)).toMatchObject({ held: true, closed: { model: null } });
    expect(shape(last(noted))).toEqual([[null, null]]);
  });

  test('and a call of any of them is answered then it opens for all', () => {
    const closed = last(after(turns(8, 2))).state;
    expect(noteAnswer(closed, { ...A, model: 'm9' }, 5000).state.brakes).toEqual([]);
  });

  test('and their texts differ then none waits', () => {
    const noted = after(Array.from({ length: 40 }, (_, i) => ({ model: `m${i % 8}`, text: `sig_${i % 8}` })));
    expect(shape(noted[39] as Noted)).toEqual([]);
  });
});

describe('when a brake is closed', () => {
  const closed = last(after(times(8))).state;

  test('and the call that went ahead is answered then it opens', () => {
    const noted = noteAnswer(closed, { ...A, tenant: 'other' }, 1000);
    expect(noted.opened).toHaveLength(1);
    expect(noted.state).toEqual(NO_BRAKE);
  });

  test('and a call that was open before is answered then it stays closed', () => {
    const noted = noteAnswer(closed, A, 999);
    expect(noted.opened).toEqual([]);
    expect(shape(noted)).toEqual([['m1', null]]);
  });

  test('and the call that went ahead is refused with another unknown text then its job waits on', () => {
    const noted = noteRefusal(closed, refusal({ text: 'sig_2', begun_at: 1500, at: 1600, raw: 'else', tenant: 'other' }), false);
    expect(noted.held).toBe(true);
    expect(noted.state.brakes).toMatchObject([{ raw: 'else', refused_at: 1600, since: 1000, tenants: ['acme', 'other'] }]);
  });

  test('and a call that was open before is refused with another text then that job fails', () => {
    expect(noteRefusal(closed, refusal({ text: 'sig_2' }), false).held).toBe(false);
  });

  test('and an operator opens it then the count begins anew', () => {
    expect(openBrakes(closed, 'submit', 'm2').opened).toEqual([]);
    expect(openBrakes(closed, 'call', null).opened).toEqual([]);
    for (const model of ['m1', null]) {
      const noted = openBrakes(closed, 'submit', model);
      expect(noted.opened).toHaveLength(1);
      expect(noted.state).toEqual(NO_BRAKE);
    }
  });
});

test('when callers name ten thousand models then what is kept stays small', () => {
  const noted = after(Array.from({ length: 10_000 }, (_, i) => ({ model: `m${i}`, text: `sig_${i}` })));
  expect(last(noted).state.streaks.length).toBeLessThanOrEqual(100);
  expect(BRAKE_RULES.refusals).toBe(8);
});

test.each<[string, Partial<Observation>, ReturnType<typeof saysOfModel>]>([
  ['a text that no row knows', { category: 'unknown' }, 'unknown refusal'],
  ['the policy', { category: 'moderation' }, 'another answer'],
  ['bad input', { category: 'input' }, 'another answer'],
  ['an unknown model', { category: 'model' }, 'another answer'],
  ['a passing trouble', { category: 'transient' }, 'another answer'],
  ['a failed task', { category: 'failed' }, 'another answer'],
  ['the pace', { category: 'rate_limited' }, 'nothing'],
  ['the key, and no probe gave an answer', { category: 'auth' }, 'nothing'],
  ['the credits, and no probe gave an answer', { category: 'balance' }, 'nothing'],
  ['perhaps the key, and no probe gave an answer', { category: 'unknown', suspect: 'auth' }, 'nothing'],
  ['a lost answer', { category: 'unknown', outcome: 'unknown' }, 'nothing'],
  ['no connection', { category: 'unknown', outcome: 'not_sent' }, 'nothing'],
])('a refusal for %s says of its model: %s', (_, more, says) => {
  const seen: Observation = { outcome: 'refused', category: 'unknown', ...more };
  expect(saysOfModel(seen, decideCall(seen))).toBe(says);
});

test.each(['auth', 'balance'] as const)('a refusal for %s that a probe does not confirm is one that nobody knows', (reason) => {
  const seen: Observation = { outcome: 'refused', category: reason };
  const verdict = decideCall(seen);
  if (verdict.kind !== 'confirm') throw new Error(verdict.kind);
  expect(saysOfModel(seen, verdict.otherwise)).toBe('unknown refusal');
  expect(saysOfModel(seen, { kind: 'pause', reason })).toBe('nothing');
});

describe('texts', () => {
  const of = (message: string, status = 400, model = 'm1', prompt = 'p') =>
    refusalText({ status, message }, 'HTTP 400', { model, prompt } as { model: string });

  test.each([
    ['numbers', 'quota of 5 left', 'quota of 17 left'],
    ['request ids', 'refused, request 01K9ABCDEF12', 'refused, request 01K9ZZZZZZ99'],
    ['the model', 'channel for nano-banana-2 is closed', 'channel for m2 is closed'],
    ['JSON around it', '{"code":-1,"msg":"额度不足"}', '{"code":-2,"msg":"额度不足","id":"14-5a0e8c2f"}'],
  ])('that differ in %s only are one', (what, one, other) => {
    expect(of(one, 400, 'nano-banana-2')).toBe(of(other, 400, what === 'the model' ? 'm2' : 'nano-banana-2'));
  });

  test.each([
    ['whole', (prompt: string) => `we do not paint ${prompt} here`],
    ['cut off', (prompt: string) => `we do not paint ${prompt.slice(0, 12)}…`],
    ['as JSON', (prompt: string) => JSON.stringify({ code: -1, msg: `no: ${prompt}` })],
  ])('that repeat the caller, %s, are one for two prompts', (_, say) => {
    const [one, other] = ['a cat on a roof\nat night', 'two dogs in the "rain" of 1999'];
    expect(of(say(one), 400, 'm1', one)).toBe(of(say(other), 400, 'm1', other));
  });

  test.each([
    ['words', of('no'), of('never')],
    ['status', of('no'), of('no', 403)],
  ])('that differ in their %s are two', (_, one, other) => expect(one).not.toBe(other));
});
