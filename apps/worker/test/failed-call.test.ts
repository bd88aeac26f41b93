import { GrsaiError } from '@grsai-jobs/grsai';
import { expect, test } from 'vitest';
import { type FailedCallKit, settleFailedCall } from '../src/stages/failed-call.ts';
import { acceptedJob, startKit } from './kit.ts';

interface Row {
  seen: string;
  error: Partial<ConstructorParameters<typeof GrsaiError>[0]>;
  /** How the entry is left. */
  outcome: object;
  status: string;
  code?: string;
  /** Attempts that are spent afterwards. */
  spent: number;
  doc?: object;
  keyTaken?: boolean;
}

const done = { kind: 'done' };

/** Each row of the retry table of design §2 as the worker carries it out: wait, attempt, end. The back-off is 0 here. */
const ROWS: readonly Row[] = [
  {
    seen: 'connection refused',
    error: { code: 'connection_failed', outcome: 'not_sent' },
    outcome: { kind: 'wait', ms: 0 },
    status: 'queued',
    spent: 1,
  },
  {
    seen: 'connection refused at the last attempt',
    error: { code: 'connection_failed', outcome: 'not_sent' },
    outcome: done,
    status: 'failed',
    code: 'upstream_unavailable',
    spent: 1,
    doc: { max_attempts: 1 },
  },
  {
    seen: '429 with Retry-After',
    error: { code: 'rate_limited', category: 'rate_limited', retryAfterMs: 7000 },
    outcome: { kind: 'throttle', ms: 7000 },
    status: 'queued',
    spent: 0,
  },
  {
    seen: '429 that asks for a day',
    error: { code: 'rate_limited', category: 'rate_limited', retryAfterMs: 86_400_000 },
    outcome: { kind: 'throttle', ms: 300_000 },
    status: 'queued',
    spent: 0,
  },
  {
    seen: '429 until a time that is over',
    error: { code: 'rate_limited', category: 'rate_limited', retryAfterMs: 0 },
    outcome: { kind: 'throttle', ms: 2000 },
    status: 'queued',
    spent: 0,
  },
  {
    seen: '429 without one',
    error: { code: 'rate_limited', category: 'rate_limited' },
    outcome: { kind: 'throttle', ms: 2000 },
    status: 'queued',
    spent: 0,
    doc: { max_attempts: 1 },
  },
  {
    seen: 'a lost answer',
    error: { code: 'timeout', outcome: 'unknown' },
    outcome: done,
    status: 'failed',
    code: 'submit_unknown',
    spent: 1,
  },
  {
    seen: 'a lost answer that may be repeated',
    error: { code: 'timeout', outcome: 'unknown' },
    outcome: { kind: 'wait', ms: 0 },
    status: 'queued',
    spent: 1,
    doc: { on_unknown_submit: 'resubmit' },
  },
  {
    seen: 'a 200 without a body, key taken',
    error: { code: 'unreadable_answer', outcome: 'unknown', needsKeyProbe: true },
    outcome: done,
    status: 'failed',
    code: 'submit_unknown',
    spent: 1,
  },
  {
    seen: 'a 200 without a body, key refused',
    error: { code: 'unreadable_answer', outcome: 'unknown', needsKeyProbe: true },
    outcome: { kind: 'wait', ms: 1000 },
    status: 'queued',
    spent: 0,
    keyTaken: false,
  },
  {
    seen: 'key refused',
    error: { category: 'auth' },
    outcome: { kind: 'wait', ms: 1000 },
    status: 'queued',
    spent: 0,
    doc: { max_attempts: 1 },
  },
  {
    seen: 'no credits',
    error: { category: 'balance' },
    outcome: { kind: 'wait', ms: 1000 },
    status: 'queued',
    spent: 0,
    doc: { max_attempts: 1 },
  },
  { seen: 'policy', error: { category: 'moderation' }, outcome: done, status: 'failed', code: 'content_rejected', spent: 1 },
  { seen: 'bad input', error: { category: 'input' }, outcome: done, status: 'failed', code: 'invalid_input', spent: 1 },
  {
    seen: 'an unknown model',
    error: { category: 'model' },
    outcome: done,
    status: 'failed',
    code: 'model_unavailable',
    spent: 1,
  },
  {
    seen: 'a transient refusal that says when',
    error: { category: 'transient', retryAfterMs: 30_000 },
    outcome: { kind: 'wait', ms: 30_000 },
    status: 'queued',
    spent: 1,
  },
  {
    seen: 'a transient refusal that asks for a day',
    error: { category: 'transient', retryAfterMs: 86_400_000 },
    outcome: { kind: 'wait', ms: 300_000 },
    status: 'queued',
    spent: 1,
  },
  {
    seen: 'a refused connection, of an hour',
    error: { code: 'server_error', outcome: 'not_sent', retryAfterMs: 3_600_000 },
    outcome: { kind: 'wait', ms: 300_000 },
    status: 'queued',
    spent: 1,
  },
  {
    seen: 'a transient refusal at the last attempt',
    error: { category: 'transient' },
    outcome: done,
    status: 'failed',
    code: 'upstream_failed',
    spent: 1,
    doc: { max_attempts: 1 },
  },
  {
    seen: 'a text that no row knows',
    error: { category: 'unknown' },
    outcome: done,
    status: 'failed',
    code: 'upstream_failed',
    spent: 1,
  },
];

test.each(ROWS)(
  'when a paid call saw $seen then the job is $status and $spent attempts are spent',
  async ({ error, outcome, status, code, spent, doc, keyTaken = true }) => {
    const kit = await startKit();
    const paused: string[] = [];
    const failed: FailedCallKit = {
      ...kit,
      probeKey: async () => keyTaken,
      pauses: {
        pause: async (reason: string) => void paused.push(reason),
        waits: async (queue: string, ms: number) => void paused.push(`${queue} ${ms}`),
      } as unknown as FailedCallKit['pauses'],
      upstream: { answered: () => {}, failed: () => {}, seen: () => {} },
    };
    const { on_unknown_submit, ...more } = (doc ?? {}) as { on_unknown_submit?: 'resubmit' };
    const job = await acceptedJob(kit, more, (same) => ({ ...same, ...(on_unknown_submit ? { on_unknown_submit } : {}) }));
    const begun = await kit.store.moves.begin({ id: job.id, step: 1 }, { token: 't', limitMs: 1000 }, { maxInFlight: 0, rpm: 0 });
    if (begun.kind !== 'ok') throw new Error(begun.kind);
    const call = { record: begun.record, token: 't', startedAt: kit.clock.now() };
    const seen = new GrsaiError({ code: 'refused', outcome: 'refused', message: 'seen', ...error });
    expect(await settleFailedCall(failed, call, 'submit', seen)).toEqual(outcome);
    expect(await job.read()).toMatchObject({ status, spent, ...(code ? { error: { code } } : { error: null, sent: null }) });
    if (error.category === 'rate_limited') return expect(paused).toEqual([`submit ${(outcome as { ms: number }).ms}`]);
    const lasting = error.category === 'auth' || error.category === 'balance' ? [error.category] : keyTaken ? [] : ['auth'];
    expect(paused).toEqual(lasting);
  },
);
