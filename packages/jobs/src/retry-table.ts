import type { FailureCode } from './failures.ts';
import type { JobRecord } from './job/job.ts';

/** What the upstream client knows of a call that did not work, in the words of the retry table (design.md §2.7). */
export interface Observation {
  /** `not_sent`: proven not to have reached upstream whole. `refused`: upstream answered no. `unknown`: the answer was lost. */
  readonly outcome: 'not_sent' | 'refused' | 'unknown';
  readonly category: 'auth' | 'balance' | 'moderation' | 'input' | 'model' | 'transient' | 'rate_limited' | 'failed' | 'unknown';
  /** A 200 without a body or without an id: only the key probe shows whether the key was refused or an answer was lost. */
  readonly needsKeyProbe?: boolean;
  /** Of category `unknown`: it may be about the key or the credits, or repeat a caller who wrote so. */
  readonly suspect?: 'auth' | 'balance' | 'address' | undefined;
  /** Upstream is overloaded. */
  readonly busy?: boolean;
  /** HTTP status, when an answer began. */
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** What to do after a call or submit that did not work. */
export type Verdict =
  /** Another attempt after a back-off; at the last attempt the job ends with `exhausted`. */
  | { readonly kind: 'retry'; readonly exhausted: FailureCode }
  /** The entry goes back, no attempt is used up; the whole queue waits. */
  | { readonly kind: 'throttle' }
  /** The entry goes back, no attempt is used up; calls and submits pause for the reason. */
  | { readonly kind: 'pause'; readonly reason: 'auth' | 'balance' | 'upstream' }
  /** The entry goes back for a while that grows, no attempt is used up: it passes, or the job expires. */
  | { readonly kind: 'patience' }
  /**
   * One call must not stop all others: a probe of the key, the credits or the API decides. It confirms: `pause`. It says that all is well: the
   * refusal is this job's own, `otherwise`. It does not know: the entry goes back for a while, no attempt is used up.
   */
  | { readonly kind: 'confirm'; readonly reason: 'auth' | 'balance' | 'upstream'; readonly otherwise: Verdict }
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

const OWN: Verdict = { kind: 'retry', exhausted: 'upstream_failed' };
const NOT_KNOWN: Verdict = { kind: 'fail', code: 'upstream_failed' };

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
  { seen: 'key refused', when: category('auth'), verdict: { kind: 'confirm', reason: 'auth', otherwise: OWN } },
  {
    seen: 'no credits, by a 429',
    when: (s) => s.category === 'balance' && s.status === 429,
    verdict: { kind: 'confirm', reason: 'balance', otherwise: { kind: 'throttle' } },
  },
  { seen: 'no credits', when: category('balance'), verdict: { kind: 'confirm', reason: 'balance', otherwise: OWN } },
  {
    seen: 'perhaps the key',
    when: (s) => s.suspect === 'auth',
    verdict: { kind: 'confirm', reason: 'auth', otherwise: NOT_KNOWN },
  },
  {
    seen: 'perhaps the credits',
    when: (s) => s.suspect === 'balance',
    verdict: { kind: 'confirm', reason: 'balance', otherwise: NOT_KNOWN },
  },
  {
    seen: 'a 404, perhaps of no API at all',
    when: (s) => s.suspect === 'address',
    verdict: { kind: 'confirm', reason: 'upstream', otherwise: OWN },
  },
  { seen: 'overload', when: (s) => s.busy === true, verdict: { kind: 'patience' } },
  { seen: 'policy', when: category('moderation'), verdict: { kind: 'fail', code: 'content_rejected' } },
  { seen: 'bad input, 413', when: category('input'), verdict: { kind: 'fail', code: 'invalid_input' } },
  { seen: 'model unknown or in maintenance', when: category('model'), verdict: { kind: 'fail', code: 'model_unavailable' } },
  {
    seen: 'transient refusal',
    when: category('transient', 'failed'),
    verdict: { kind: 'retry', exhausted: 'upstream_failed' },
  },
  { seen: 'a text that no row knows', when: () => true, verdict: NOT_KNOWN },
];

export function decideCall(seen: Observation): Verdict {
  for (const row of CALL_ROWS) if (row.when(seen)) return row.verdict;
  return NOT_KNOWN;
}

/** What to do when a polled task ended without a result: `again` was refunded and may be submitted once more. */
export type TaskVerdict = { readonly kind: 'again' } | { readonly kind: 'fail'; readonly code: FailureCode };

const TASK_ROWS: Readonly<Partial<Record<Observation['category'], TaskVerdict>>> = {
  transient: { kind: 'again' },
  rate_limited: { kind: 'again' },
  // "generate failed" and its kin: refunded, and may be resubmitted a few times (upstream.md §11.1).
  failed: { kind: 'again' },
  // It waits with all others when a probe confirms it.
  auth: { kind: 'again' },
  balance: { kind: 'again' },
  moderation: { kind: 'fail', code: 'content_rejected' },
  input: { kind: 'fail', code: 'invalid_input' },
  model: { kind: 'fail', code: 'model_unavailable' },
};

export const decideTask = (seen: Observation['category']): TaskVerdict =>
  TASK_ROWS[seen] ?? { kind: 'fail', code: 'upstream_failed' };

/**
 * Whether an image whose work failed upstream may be made once more by itself: where its credits come back, or its caller pays for both.
 * Where no price is known they are taken to come back.
 */
export function mayRepeatFailed({ doc, price }: Pick<JobRecord, 'doc' | 'price'>): boolean {
  if (doc.type === 'chat') return true;
  if (doc.resubmit_failed !== 'auto') return doc.resubmit_failed === 'always';
  return price?.refunds.error ?? true;
}

/** How long the queue waits after the nth 429 in a row without `Retry-After`: 2 s doubling to 60 s. */
export const throttleMs = (n: number): number => Math.min(60_000, 2000 * 2 ** n);
