import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FAILURES } from './failures.ts';
import { CALL_ROWS, decideCall, decideTask, type Observation, throttleMs, type Verdict } from './retry-table.ts';

const CATEGORIES = ['auth', 'balance', 'moderation', 'input', 'model', 'transient', 'rate_limited', 'failed', 'unknown'] as const;

const OWN: Verdict = { kind: 'retry', exhausted: 'upstream_failed' };
const NOT_KNOWN: Verdict = { kind: 'fail', code: 'upstream_failed' };

/** Each row of the retry table (design.md §2.7) for `call` and `submit`. */
const ROWS: readonly [string, Observation, Verdict][] = [
  ['connection refused', { outcome: 'not_sent', category: 'unknown' }, { kind: 'retry', exhausted: 'upstream_unavailable' }],
  ['the client refused its own input', { outcome: 'not_sent', category: 'input' }, { kind: 'fail', code: 'invalid_input' }],
  ['429', { outcome: 'refused', category: 'rate_limited' }, { kind: 'throttle' }],
  ['timeout after the last byte', { outcome: 'unknown', category: 'unknown' }, { kind: 'unknown' }],
  ['502 whose text says transient', { outcome: 'unknown', category: 'transient' }, { kind: 'unknown' }],
  ['200 with an empty body', { outcome: 'unknown', category: 'unknown', needsKeyProbe: true }, { kind: 'probe_key' }],
  ['key refused', { outcome: 'refused', category: 'auth' }, { kind: 'confirm', reason: 'auth', otherwise: OWN }],
  ['no credits', { outcome: 'refused', category: 'balance' }, { kind: 'confirm', reason: 'balance', otherwise: OWN }],
  [
    'no credits by a 429',
    { outcome: 'refused', category: 'balance', status: 429 },
    { kind: 'confirm', reason: 'balance', otherwise: { kind: 'throttle' } },
  ],
  ['overload', { outcome: 'refused', category: 'transient', busy: true }, { kind: 'patience' }],
  [
    'perhaps no API',
    { outcome: 'refused', category: 'unknown', suspect: 'address' },
    { kind: 'confirm', reason: 'upstream', otherwise: OWN },
  ],
  [
    'perhaps the key',
    { outcome: 'refused', category: 'unknown', suspect: 'auth' },
    { kind: 'confirm', reason: 'auth', otherwise: NOT_KNOWN },
  ],
  [
    'perhaps the credits',
    { outcome: 'refused', category: 'unknown', suspect: 'balance' },
    { kind: 'confirm', reason: 'balance', otherwise: NOT_KNOWN },
  ],
  ['policy', { outcome: 'refused', category: 'moderation' }, { kind: 'fail', code: 'content_rejected' }],
  ['413', { outcome: 'refused', category: 'input' }, { kind: 'fail', code: 'invalid_input' }],
  ['model in maintenance', { outcome: 'refused', category: 'model' }, { kind: 'fail', code: 'model_unavailable' }],
  ['transient refusal', { outcome: 'refused', category: 'transient' }, { kind: 'retry', exhausted: 'upstream_failed' }],
  ['generate failed', { outcome: 'refused', category: 'failed' }, { kind: 'retry', exhausted: 'upstream_failed' }],
  ['a text that no row knows', { outcome: 'refused', category: 'unknown' }, { kind: 'fail', code: 'upstream_failed' }],
];

test.each(ROWS)('when a call saw %s then the table decides', (_what, seen, verdict) => {
  expect(decideCall(seen)).toEqual(verdict);
});

test('whatever was seen, there is one verdict, and an unknown outcome is never simply retried', () => {
  const observation = fc.record({
    outcome: fc.constantFrom('not_sent' as const, 'refused' as const, 'unknown' as const),
    category: fc.constantFrom(...CATEGORIES),
    needsKeyProbe: fc.boolean(),
  });
  fc.assert(
    fc.property(observation, (seen) => {
      const verdict = decideCall(seen);
      expect(CALL_ROWS.map((row) => row.verdict)).toContainEqual(verdict);
      if (seen.outcome === 'unknown') expect(['unknown', 'probe_key']).toContain(verdict.kind);
    }),
  );
});

test.each([
  ['transient', { kind: 'again' }],
  ['failed', { kind: 'again' }],
  ['rate_limited', { kind: 'again' }],
  ['moderation', { kind: 'fail', code: 'content_rejected' }],
  ['input', { kind: 'fail', code: 'invalid_input' }],
  ['model', { kind: 'fail', code: 'model_unavailable' }],
  ['unknown', { kind: 'fail', code: 'upstream_failed' }],
  ['auth', { kind: 'again' }],
  ['balance', { kind: 'again' }],
] as const)('when a task failed by %s then the table decides', (category, verdict) => {
  expect(decideTask(category)).toEqual(verdict);
});

test('when 429 follows 429 then the queue waits 2 s, doubling to 60 s', () => {
  expect([0, 1, 2, 3, 4, 5, 20].map(throttleMs)).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test('a code that a verdict can name is a code that a job can end with', () => {
  for (const { verdict } of CALL_ROWS) {
    if (verdict.kind === 'fail') expect(FAILURES).toHaveProperty(verdict.code);
    if (verdict.kind === 'retry') expect(FAILURES).toHaveProperty(verdict.exhausted);
  }
});
