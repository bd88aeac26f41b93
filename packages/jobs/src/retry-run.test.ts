import { expect, test } from 'vitest';
import { FAILURES, type FailureCode } from './failures.ts';
import type { JobRecord, StoredImage, UnstoredOutput } from './job/job.ts';
import type { Status } from './job/states.ts';
import { planRetry, type RetryMode } from './retry-run.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3600 * 1000;

type Part = Parameters<typeof planRetry>[0];

const job = (status: Status, code: FailureCode | null, more: Partial<JobRecord> = {}): Part => ({
  status,
  error: code === null ? null : { code, message: '', retryable: FAILURES[code].retryable, stage: 'generating' },
  unstored: null,
  task: null,
  lease: null,
  erasing: false,
  doc: { type: 'image', on_unknown_submit: 'fail' } as JobRecord['doc'],
  ...more,
});

const task = (ageMs: number) => ({ task: { id: 't', base: 'b', submitted_at: NOW - ageMs, polls: 0, last_polled_at: null } });
const links = (livesMs: number) => ({ unstored: { links: [{ url: 'http://f/1.png' }], dies_at: NOW + livesMs } });
const STORED = { index: 0, key: 'k' } as StoredImage;
const kept = (livesMs: number, ...more: UnstoredOutput[]) => ({
  unstored: { links: [{ url: 'http://f/1.png', stored: STORED }, ...more], dies_at: NOW + livesMs },
});
const LEASE = { lease: { token: 'A', acquired_at: NOW - HOUR, expires_at: NOW - HOUR + 1 } };
const RESUBMIT_DOC = { doc: { type: 'chat', on_unknown_submit: 'resubmit' } as JobRecord['doc'] };

/** Each rule of a retry (design.md §2.8): the job, what was asked for, and where it goes or why it does not. */
const ROWS: readonly [string, Part, RetryMode | undefined, string][] = [
  ['a queued job', job('queued', null), undefined, 'live'],
  ['a running job', job('running', null), 'resubmit', 'live'],
  ['a canceling job', job('canceling', null), 'resubmit', 'live'],
  ['a job whose delete has begun', job('failed', 'storage_failed', { ...links(1), erasing: true }), undefined, 'erasing'],
  ['a job whose delete has begun', job('failed', 'upstream_unavailable', { erasing: true }), 'resubmit', 'erasing'],
  ['a succeeded job', job('succeeded', null), 'resubmit', 'succeeded'],
  ['a failed job with nothing', job('failed', 'upstream_unavailable'), undefined, 'queued'],
  ['a failed job with nothing', job('failed', 'upstream_unavailable'), 'resume', 'nothing_to_resume'],
  ['an expired job with nothing', job('expired', 'deadline_exceeded'), undefined, 'queued'],
  ['a canceled job with nothing', job('canceled', null), undefined, 'queued'],
  ['links that live', job('failed', 'storage_failed', { ...links(1), ...task(HOUR) }), undefined, 'running/storing'],
  ['links that live', job('failed', 'storage_failed', { ...links(1), ...task(HOUR) }), 'resubmit', 'queued'],
  ['dead links, a living task', job('failed', 'storage_failed', { ...links(0), ...task(HOUR) }), undefined, 'running/generating'],
  ['dead links, a dead task', job('failed', 'storage_failed', { ...links(0), ...task(2 * HOUR) }), undefined, 'queued'],
  ['dead links, a dead task', job('failed', 'storage_failed', { ...links(0), ...task(2 * HOUR) }), 'resume', 'nothing_to_resume'],
  [
    'a result that is stored, its link dead',
    job('canceled', null, { ...kept(0), ...task(3 * HOUR) }),
    undefined,
    'running/storing',
  ],
  ['a result of which one part is stored, links dead', job('canceled', null, kept(0, {})), undefined, 'queued'],
  ['a task that may still end', job('failed', 'upstream_timeout', task(2 * HOUR - 1)), undefined, 'running/generating'],
  ['a task that may still end', job('canceled', null, task(HOUR)), undefined, 'running/generating'],
  ['a task that may still end', job('expired', 'deadline_exceeded', task(HOUR)), 'resume', 'running/generating'],
  ['a task that is two hours old', job('failed', 'upstream_timeout', task(2 * HOUR)), undefined, 'queued'],
  ['a task that failed', job('failed', 'upstream_failed', task(HOUR)), undefined, 'queued'],
  ['a task that failed', job('failed', 'upstream_failed', task(HOUR)), 'resume', 'nothing_to_resume'],
  ['a task that was refused', job('failed', 'content_rejected', task(HOUR)), undefined, 'queued'],
  ['a lost submit', job('failed', 'submit_unknown'), undefined, 'submit_unknown'],
  ['a lost submit', job('failed', 'submit_unknown'), 'resume', 'submit_unknown'],
  ['a lost submit', job('failed', 'submit_unknown'), 'resubmit', 'queued'],
  ['a lost submit whose task id came later', job('failed', 'submit_unknown', task(HOUR)), undefined, 'running/generating'],
  ['a cancel during a lost submit', job('canceled', null, LEASE), undefined, 'submit_unknown'],
  ['a cancel during a lost submit', job('canceled', null, LEASE), 'resubmit', 'queued'],
  ['a cancel during a lost call that may be repeated', job('canceled', null, { ...LEASE, ...RESUBMIT_DOC }), undefined, 'queued'],
];

test.each(ROWS)('when %s is retried then the rules decide (row %#)', (_what, record, mode, outcome) => {
  const plan = planRetry(record, NOW, mode);
  expect(plan.kind === 'reopen' ? plan.to : plan.why).toBe(outcome);
  if (plan.kind === 'reopen') expect(plan.mode).toBe(plan.to === 'queued' ? 'resubmit' : 'resume');
});

test('when a retry is refused for a lost submit then the text names the way out', () => {
  expect(planRetry(job('failed', 'submit_unknown'), NOW)).toMatchObject({ text: expect.stringContaining('"resubmit"') });
});
