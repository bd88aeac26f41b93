import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Check, type Finding, OK, watchChecks } from './checks.ts';
import { createLogger } from './logger.ts';
import { readyAnswer } from './readiness.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** One watched check whose answers the test gives; `lines` are what it says in the log. */
function watch(look: Check['look'], more: Partial<Check> = {}) {
  const lines: { event: string; state?: string }[] = [];
  const log = createLogger({
    name: 'test',
    level: 'info',
    pretty: false,
    destination: { write: (line) => lines.push(JSON.parse(line)) },
  });
  const checks = watchChecks([{ name: 'part', everyMs: 10_000, againMs: 5000, look, ...more }], log);
  const finding = async () => (await checks.findings())[0]?.finding;
  return { checks, finding, said: () => lines.map(({ event, state }) => [event, state].filter(Boolean).join(' ')) };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

test('when a part is well then many who ask cost one look in ten seconds, and nothing is said', async () => {
  const look = vi.fn(async () => OK);
  const { finding, said } = watch(look);
  for (let n = 0; n < 100; n += 1) expect(await finding()).toEqual(OK);
  expect(look).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(look).toHaveBeenCalledTimes(1);
  await finding();
  expect(look).toHaveBeenCalledTimes(2);
  expect(said()).toEqual([]);
});

test('when a part is not well then it is looked at again by itself, said once, and once when it is well', async () => {
  const answers: Finding[] = [
    { state: 'warn', reason: 'a' },
    { state: 'warn', reason: 'a' },
    { state: 'failing', reason: 'b' },
  ];
  const { said } = watch(async () => answers.shift() ?? OK);
  await settle();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said()).toEqual(['check.failed warn', 'check.failed failing', 'check.ok']);
});

test('when a part fails with two reasons in turn then each is said once', async () => {
  let n = 0;
  const { said } = watch(async () => ({ state: 'failing', reason: String(n++ % 2) }));
  await vi.advanceTimersByTimeAsync(120_000);
  expect(n).toBeGreaterThan(20);
  expect(said()).toEqual(['check.failed failing', 'check.failed failing']);
});

test('when a look throws then it is a failure in the words of the check', async () => {
  const look = async () => Promise.reject(new Error('secret'));
  expect(await watch(look, { explain: () => 'call the store' }).finding()).toEqual({
    state: 'failing',
    reason: 'call the store',
  });
  expect(await watch(look).finding()).toEqual({ state: 'failing', reason: 'secret' });
});

test('when a look hangs then who asks gets an answer in two seconds, no second one is begun, and its late answer counts', async () => {
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const look = vi.fn(() => promise);
  const { finding } = watch(look);
  const asked = finding();
  await vi.advanceTimersByTimeAsync(2000);
  expect(await asked).toEqual({ state: 'failing', reason: 'no answer within 2000 ms' });
  await vi.advanceTimersByTimeAsync(30_000);
  expect(look).toHaveBeenCalledTimes(1);
  resolve(OK);
  await settle();
  expect(await finding()).toEqual(OK);
  expect(look).toHaveBeenCalledTimes(1);
});

test('when nobody knows then that is no trouble', async () => {
  const { said, finding } = watch(async () => ({ state: 'unknown', reason: 'it does not say' }));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said()).toEqual(['check.unknown']);
  expect(readyAnswer([{ name: 'part', finding: (await finding()) ?? OK }], { verbose: true })).toEqual({
    ok: true,
    body: { status: 'ok', checks: { part: { ok: true, state: 'unknown', facts: 'it does not say' } } },
  });
});

test('when it is stopped then nothing is looked at or said any more', async () => {
  const look = vi.fn(async () => Promise.reject(new Error('away')));
  const { checks, said } = watch(look);
  await checks.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([look.mock.calls.length, said()]).toEqual([1, []]);
});

const rows = (state: 'warn' | 'failing') => [
  { name: 'a', finding: OK },
  { name: 'b', finding: { state, reason: 'do this' } as const },
];

test('when one part warns then it is ready and its name is reported, and the reason to who asks for it', () => {
  expect(readyAnswer(rows('warn'), { verbose: false })).toEqual({ ok: true, body: { status: 'ok', warnings: ['b'] } });
  expect(readyAnswer(rows('warn'), { verbose: true, pauses: [] }).body).toEqual({
    status: 'ok',
    warnings: ['b'],
    pauses: [],
    checks: { a: { ok: true, state: 'ok' }, b: { ok: false, state: 'warn', facts: 'do this' } },
  });
});

test('when one part fails then it is not ready and shows its name, and why to who may know', () => {
  expect(readyAnswer(rows('failing'), { verbose: false })).toEqual({ ok: false, body: { status: 'failing', failing: ['b'] } });
  expect(readyAnswer(rows('failing'), { verbose: true })).toEqual({
    ok: false,
    body: {
      status: 'failing',
      failing: ['b'],
      checks: { a: { ok: true, state: 'ok' }, b: { ok: false, state: 'failing', facts: 'do this' } },
    },
  });
});
