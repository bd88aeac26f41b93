import type { JobRecord, NewAttempt } from '../job/job.ts';
import { isCall, stateIn } from '../job/states.ts';
import type { Transition } from '../job/transitions.ts';
import { type JobCost, NO_COST } from './cost.ts';
import { creditsFor, type JobPrice, type Tokens, tokensOf } from './price.ts';

/**
 * What became of a paid call upstream, as far as it is known. `made`: it did what was asked for. `nothing`: it was proven to have made nothing.
 * `failed`, `violation`: its work failed, or broke the content policy. `perhaps_…`: that, or it was refused before any work.
 */
export type CallEnd = 'made' | 'nothing' | 'failed' | 'violation' | 'perhaps_failed' | 'perhaps_violation' | 'unknown';

/** What is written of the credits that the open call of a job has set aside. */
export type Settlement =
  /** A call is open, and sets its price aside. `before`: what became of the one that the record still has open. */
  | { readonly as: 'reserved'; readonly before?: Settlement }
  /** `credits`: where that is not what was set aside. `guess`: upstream did not say how many tokens it took. */
  | { readonly as: 'charged'; readonly credits?: number; readonly tokens?: Tokens; readonly guess?: true }
  /** Taken, and given back. */
  | { readonly as: 'refunded' }
  /** Never taken. */
  | { readonly as: 'released' }
  | { readonly as: 'unknown' };

type Terms = JobPrice['refunds'];
const CHARGED: Settlement = { as: 'charged' };
const REFUNDED: Settlement = { as: 'refunded' };
const RELEASED: Settlement = { as: 'released' };
const UNKNOWN: Settlement = { as: 'unknown' };

/** The one table of what a call costs by what became of it (upstream.md §10.4, §16.1). */
const SETTLEMENTS: Readonly<Record<CallEnd, (refunds: Terms) => Settlement>> = {
  made: () => CHARGED,
  nothing: () => RELEASED,
  failed: ({ error }) => (error ? REFUNDED : CHARGED),
  violation: ({ violation }) => (violation ? REFUNDED : CHARGED),
  perhaps_failed: ({ error }) => (error ? REFUNDED : UNKNOWN),
  perhaps_violation: ({ violation }) => (violation ? REFUNDED : UNKNOWN),
  unknown: () => UNKNOWN,
};

/** What an attempt says of its call. */
const OF_ATTEMPT: Readonly<Record<NewAttempt['outcome'], CallEnd>> = {
  succeeded: 'made',
  accepted: 'made',
  retry: 'nothing',
  failed: 'nothing',
  unknown: 'unknown',
  cut: 'unknown',
};

type Known = Partial<Pick<JobRecord, 'price' | 'cost' | 'status' | 'stage'>>;

/** What becomes of the credits that are set aside when a transition happens. `undefined`: nothing, or the job has no price. */
export function settlementOf(job: Known, t: Transition): Settlement | undefined {
  if (t.kind === 'reassert_call') return reserved(job.cost, t.cost);
  if (job.price === null) return undefined;
  const end = endOfCall(job, t);
  if (end === null) return undefined;
  // What is not known of a task that is polled without its record: it has one price.
  const settlement = SETTLEMENTS[end](job.price?.refunds ?? { error: true, violation: false });
  return end === 'made' && job.price ? byTokens(job.price, t) : settlement;
}

/** A failover has forgotten a call, and with it what became of the one before: its holder knows what that had come to when its own began. */
function reserved(cost: JobCost = NO_COST, held: JobCost): Settlement {
  if (cost.open === null) return { as: 'reserved' };
  const more = (sum: 'charged' | 'refunded' | 'unknown') => (held[sum] ?? 0) - (cost[sum] ?? 0);
  if (more('unknown') > 0) return { as: 'reserved', before: UNKNOWN };
  if (more('charged') > 0) return { as: 'reserved', before: { as: 'charged', credits: more('charged') } };
  return { as: 'reserved', before: more('refunded') > 0 ? REFUNDED : RELEASED };
}

/** What became of the open call of a job, as a transition says; `null`: it goes on, or can still bring something. */
export function endOfCall(job: Known, t: Transition): CallEnd | null {
  if ('callEnd' in t && t.callEnd !== undefined) return t.callEnd;
  switch (t.kind) {
    case 'release':
      if (t.unstored !== undefined) return 'made';
      return t.attempt === undefined ? 'nothing' : OF_ATTEMPT[t.attempt.outcome];
    case 'resubmit':
      return 'failed';
    case 'start_storing':
      return 'made';
    case 'reopen':
      if (t.to === 'running/generating') return null;
      // What a retry stores was brought, and charged, by a call before the one that is open. A run that submits anew asks for nothing of that one.
      return t.late && t.to === 'running/storing' ? 'made' : 'unknown';
    case 'finish': {
      if (t.status === 'succeeded') return 'made';
      const canCome = t.keepLease || t.latePollMs !== undefined || (t.status === 'canceled' && t.task !== undefined);
      if (canCome || !inCall(job) || t.attempt === undefined) return null;
      return OF_ATTEMPT[t.attempt.outcome];
    }
    default:
      return null;
  }
}

const inCall = ({ status, stage }: Known): boolean =>
  status !== undefined && stage !== undefined && isCall(stateIn({ status, stage }));

/** A chat costs what its tokens do; where its answer does not name them, what was expected. */
function byTokens({ tokens: price }: JobPrice, t: Transition): Settlement {
  const tokens = tokensOf(completionIn(t));
  if (price === undefined) return tokens === null ? CHARGED : { as: 'charged', tokens };
  return tokens === null ? { as: 'charged', guess: true } : { as: 'charged', credits: creditsFor(tokens, price), tokens };
}

/** The completion that a transition brings, in whole or cut short. */
export function completionIn(t: Transition): unknown {
  if ('unstored' in t && t.unstored !== undefined) return t.unstored.completion;
  if (t.kind === 'settle_call') return t.unwanted;
  if (t.kind !== 'finish') return undefined;
  return t.output?.kind === 'chat' ? t.output.completion : t.unwanted;
}
