import type { Mutation } from './mutation.ts';

const of = (file: string, find: string, put: string, breaks: string): Mutation => ({
  file: `packages/${file}.ts`,
  find,
  put,
  breaks,
});

/** Mutations of the rules that store, stages and callers share: transitions and what follows from them, retries, cancels. */
export const OF_RULES: readonly Mutation[] = [
  of(
    'jobs/src/job/transitions',
    "to: ['running/generating'],\n    step: 'next',",
    "to: ['running/generating'],\n    step: 'same',",
    'an accepted task gets an entry for its polls',
  ),
  of('jobs/src/job/plan', 'run: job.run + 1,', 'run: job.run,', 'P4: each run has an end of its own'),
  of('jobs/src/job/plan', "    ...reported(whole(job), 'canceled'),", '', 'P4: a cancel is reported'),
  of('jobs/src/job/plan', '...(t.keepLease ? {} : { lease: null }),', 'lease: null,', 'P3: a late answer finds its job'),
  of(
    'jobs/src/job/after',
    "if (TRANSITIONS[order.name].step === 'same' || (job.status !== undefined && isTerminal(job.status))) return null;",
    'if (order.name) return null;',
    'a transition adds the next entry',
  ),
  of('jobs/src/job/after', '    step: facts.step,', '    step: job.step,', 'an entry is of the step that the job is in'),
  of(
    'jobs/src/retry-table',
    "when: (s) => s.outcome === 'unknown', verdict: { kind: 'unknown' } }",
    "when: (s) => s.outcome === 'unknown', verdict: { kind: 'retry', exhausted: 'upstream_unavailable' } }",
    'P2: a lost answer is not asked for again',
  ),
  of(
    'jobs/src/retry-table',
    "moderation: { kind: 'fail', code: 'content_rejected' },",
    "moderation: { kind: 'again' },",
    'P2: a task that was not refunded is not submitted again',
  ),
  of(
    'jobs/src/retry-run',
    '  if (mayHaveSubmitted(job))',
    '  if (false)',
    'P2: a retry submits again only when its caller says so',
  ),
  of(
    'jobs/src/retry-run',
    '  if (resumeTo !== null) return',
    '  if (false) return',
    'P2: a retry goes on with what was paid for',
  ),
  of(
    'job-actions/src/change-job',
    'message === null ? [] : [d.producer.enqueue(message)]',
    'message === null ? [] : []',
    'a retry adds its entry',
  ),
  of(
    'job-actions/src/cancel-job',
    "{ kind: atOnce ? 'cancel' : 'request_cancel' }",
    "{ kind: 'request_cancel' }",
    'what is not in flight is canceled',
  ),
  of(
    'jobs/src/cost/settlement',
    '  failed: ({ error }) => (error ? REFUNDED : CHARGED),',
    '  failed: () => REFUNDED,',
    'what upstream keeps of a failed task is charged',
  ),
  of(
    'jobs/src/fallback',
    'doc.fallback_prices === undefined ? price : (doc.fallback_prices[at] ?? null)',
    'price',
    'a call with another model is charged at the price of that',
  ),
];
