import type { FailureCode } from './failures.ts';

/** What the upstream client knows of a call that did not work, in the words of the retry table (design §2). */
export interface Observation {
  /** `not_sent`: proven not to have reached upstream whole. `refused`: upstream answered no. `unknown`: the answer was lost. */
  readonly outcome: 'not_sent' | 'refused' | 'unknown';
  readonly category: 'auth' | 'balance' | 'moderation' | 'input' | 'model' | 'transient' | 'rate_limited' | 'failed' | 'unknown';
  /** A 200 without a body or without an id: only the key probe can tell a refused key from a lost answer. */
  readonly needsKeyProbe?: boolean;
  readonly retryAfterMs?: number | undefined;
}

/** What to do after a call or submit that did not work. */
export type Verdict =
  /** Another attempt after a back-off; at the last attempt the job ends with `exhausted`. */
  | { readonly kind: 'retry'; readonly exhausted: FailureCode }
  /** The entry goes back, no attempt is spent; the whole queue waits. */
  | { readonly kind: 'throttle' }
  /** The entry goes back, no attempt is spent; calls and submits pause for the reason. */
  | { readonly kind: 'pause'; readonly reason: 'auth' | 'balance' }
  | { readonly kind: 'fail'; readonly code: FailureCode }
  | { readonly kind: 'probe_key' }
  /** The job's `on_unknown_submit` decides. */
  | { readonly kind: 'unknown' };

interface Row {
  readonly seen: string;
  readonly when: (seen: Observation) => boolean;
  readonly verdict: Verdict;
}

const category =
  (...names: Observation['category'][]) =>
  (seen: Observation) =>
    names.includes(seen.category);

/** The retry table for `call` and `submit`, read from the top; the one place that decides. */
export const CALL_ROWS: readonly Row[] = [
  { seen: '200 without a body or an id', when: (s) => s.needsKeyProbe === true, verdict: { kind: 'probe_key' } },
  {
    seen: 'refused by our own check',
    when: (s) => s.outcome === 'not_sent' && s.category === 'input',
    verdict: { kind: 'fail', code: 'invalid_input' },
  },
  {
    seen: 'never sent whole',
    when: (s) => s.outcome === 'not_sent',
    verdict: { kind: 'retry', exhausted: 'upstream_unavailable' },
  },
  { seen: 'answer lost', when: (s) => s.outcome === 'unknown', verdict: { kind: 'unknown' } },
  { seen: '429', when: category('rate_limited'), verdict: { kind: 'throttle' } },
  { seen: 'key refused', when: category('auth'), verdict: { kind: 'pause', reason: 'auth' } },
  { seen: 'no credits', when: category('balance'), verdict: { kind: 'pause', reason: 'balance' } },
  { seen: 'policy', when: category('moderation'), verdict: { kind: 'fail', code: 'content_rejected' } },
  { seen: 'bad input, 413', when: category('input'), verdict: { kind: 'fail', code: 'invalid_input' } },
  { seen: 'model unknown or in maintenance', when: category('model'), verdict: { kind: 'fail', code: 'model_unavailable' } },
  {
    seen: 'transient refusal',
    when: category('transient', 'failed'),
    verdict: { kind: 'retry', exhausted: 'upstream_failed' },
  },
  { seen: 'a text that no row knows', when: () => true, verdict: { kind: 'fail', code: 'upstream_failed' } },
];

export function decideCall(seen: Observation): Verdict {
  for (const row of CALL_ROWS) if (row.when(seen)) return row.verdict;
  return { kind: 'fail', code: 'upstream_failed' };
}

/** What to do when a polled task ended without a result: `again` was refunded and may be submitted once more. */
export type TaskVerdict = { readonly kind: 'again' } | { readonly kind: 'fail'; readonly code: FailureCode };

const TASK_ROWS: Readonly<Partial<Record<Observation['category'], TaskVerdict>>> = {
  transient: { kind: 'again' },
  rate_limited: { kind: 'again' },
  // "generate failed" and its kin: refunded, and may be resubmitted a few times (grsai-api §11.1).
  failed: { kind: 'again' },
  moderation: { kind: 'fail', code: 'content_rejected' },
  input: { kind: 'fail', code: 'invalid_input' },
  model: { kind: 'fail', code: 'model_unavailable' },
};

export const decideTask = (seen: Observation['category']): TaskVerdict =>
  TASK_ROWS[seen] ?? { kind: 'fail', code: 'upstream_failed' };

/** How long the queue waits after the nth 429 in a row without `Retry-After`: 2 s doubling to 60 s. */
export const throttleMs = (n: number): number => Math.min(60_000, 2000 * 2 ** n);
