import { GrsaiError } from '@grsai-jobs/grsai';
import { expect, test } from 'vitest';
import type { Judgement } from '../src/pauses/account-trouble.ts';
import { acceptedJob, type Harness, handlersOf, startHarness } from './harness.ts';

interface Row {
  seen: string;
  error: Partial<ConstructorParameters<typeof GrsaiError>[0]>;
  /** How the entry is left. */
  outcome: object;
  status: string;
  code?: string;
  /** Attempts that are used up afterwards. */
  used: number;
  doc?: object;
  keyTaken?: boolean;
  /** What the probe of the key or the credits comes to. */
  judged?: Judgement;
}

const done = { kind: 'done' };

/** Each row of the retry table (design.md §2.7) as the worker carries it out: wait, attempt, end. The back-off is 0 here. */
const ROWS: readonly Row[] = [
  {
    seen: 'connection refused',
    error: { code: 'connection_failed', outcome: 'not_sent' },
    outcome: { kind: 'wait', ms: 0 },
    status: 'queued',
    used: 1,
  },
  {
    seen: 'connection refused at the last attempt',
    error: { code: 'connection_failed', outcome: 'not_sent' },
    outcome: done,
    status: 'failed',
    code: 'upstream_unavailable',
    used: 1,
    doc: { max_attempts: 1 },
  },
  {
    seen: '429 with Retry-After',
    error: { code: 'rate_limited', category: 'rate_limited', retryAfterMs: 7000 },
    outcome: { kind: 'throttle', ms: 7000 },
    status: 'queued',
    used: 0,
  },
  {
    seen: '429 that asks for a day',
    error: { code: 'rate_limited', category: 'rate_limited', retryAfterMs: 86_400_000 },
    outcome: { kind: 'throttle', ms: 300_000 },
    status: 'queued',
    used: 0,
  },
  {
    seen: '429 until a time that is over',
    error: { code: 'rate_limited', category: 'rate_limited', retryAfterMs: 0 },
    outcome: { kind: 'throttle', ms: 2000 },
    status: 'queued',
    used: 0,
  },
  {
    seen: '429 without one',
    error: { code: 'rate_limited', category: 'rate_limited' },
    outcome: { kind: 'throttle', ms: 2000 },
    status: 'queued',
    used: 0,
    doc: { max_attempts: 1 },
  },
  {
    seen: 'a lost answer',
    error: { code: 'timeout', outcome: 'unknown' },
    outcome: done,
    status: 'failed',
    code: 'submit_unknown',
    used: 1,
  },
  {
    seen: 'a lost answer that may be repeated',
    error: { code: 'timeout', outcome: 'unknown' },
    outcome: { kind: 'wait', ms: 0 },
    status: 'queued',
    used: 1,
    doc: { on_unknown_submit: 'resubmit' },
  },
  {
    seen: 'a 200 without a body, key taken',
    error: { code: 'unreadable_answer', outcome: 'unknown', needsKeyProbe: true },
    outcome: done,
    status: 'failed',
    code: 'submit_unknown',
    used: 1,
  },
  {
    seen: 'a 200 without a body, key refused',
    error: { code: 'unreadable_answer', outcome: 'unknown', needsKeyProbe: true },
    outcome: { kind: 'wait', ms: 1000 },
    status: 'queued',
    used: 0,
    keyTaken: false,
  },
  {
    seen: 'key refused, as the probe confirms',
    error: { category: 'auth' },
    judged: 'paused',
    outcome: { kind: 'wait', ms: 1000 },
    status: 'queued',
    used: 0,
    doc: { max_attempts: 1 },
  },
  {
    seen: 'no credits, as the probe confirms',
    error: { category: 'balance' },
    judged: 'paused',
    outcome: { kind: 'wait', ms: 1000 },
    status: 'queued',
    used: 0,
    doc: { max_attempts: 1 },
  },
  {
    seen: 'key refused although the probe says that it is good',
    error: { category: 'auth' },
    judged: 'own',
    outcome: { kind: 'wait', ms: 0 },
    status: 'queued',
    used: 1,
  },
  {
    seen: 'no credits although there are some, at the last attempt',
    error: { category: 'balance' },
    judged: 'own',
    outcome: done,
    status: 'failed',
    code: 'upstream_failed',
    used: 1,
    doc: { max_attempts: 1 },
  },
  {
    seen: 'no credits while nobody can be asked for them',
    error: { category: 'balance' },
    judged: 'unclear',
    outcome: { kind: 'wait', ms: 15_000 },
    status: 'queued',
    used: 0,
    doc: { max_attempts: 1 },
  },
  {
    seen: "words about the key that may be the caller's, and the key is good",
    error: { suspect: 'auth' },
    judged: 'own',
    outcome: done,
    status: 'failed',
    code: 'upstream_failed',
    used: 1,
  },
  {
    seen: "words about the credits that may be the caller's, and there are none",
    error: { suspect: 'balance' },
    judged: 'paused',
    outcome: { kind: 'wait', ms: 1000 },
    status: 'queued',
    used: 0,
  },
  { seen: 'policy', error: { category: 'moderation' }, outcome: done, status: 'failed', code: 'content_rejected', used: 1 },
  { seen: 'bad input', error: { category: 'input' }, outcome: done, status: 'failed', code: 'invalid_input', used: 1 },
  {
    seen: 'an unknown model',
    error: { category: 'model' },
    outcome: done,
    status: 'failed',
    code: 'model_unavailable',
    used: 1,
  },
  {
    seen: 'a transient refusal that says when',
    error: { category: 'transient', retryAfterMs: 30_000 },
    outcome: { kind: 'wait', ms: 30_000 },
    status: 'queued',
    used: 1,
  },
  {
    seen: 'a transient refusal that asks for a day',
    error: { category: 'transient', retryAfterMs: 86_400_000 },
    outcome: { kind: 'wait', ms: 300_000 },
    status: 'queued',
    used: 1,
  },
  {
    seen: 'a refused connection, of an hour',
    error: { code: 'server_error', outcome: 'not_sent', retryAfterMs: 3_600_000 },
    outcome: { kind: 'wait', ms: 300_000 },
    status: 'queued',
    used: 1,
  },
  {
    seen: 'a transient refusal at the last attempt',
    error: { category: 'transient' },
    outcome: done,
    status: 'failed',
    code: 'upstream_failed',
    used: 1,
    doc: { max_attempts: 1 },
  },
  {
    seen: 'a text that no row knows',
    error: { category: 'unknown' },
    outcome: done,
    status: 'failed',
    code: 'upstream_failed',
    used: 1,
  },
];

test.each(ROWS)(
  'when a paid call saw $seen then the job is $status and $used attempts are used up',
  async ({ error, outcome, status, code, used, doc, keyTaken = true, judged }) => {
    const harness = await startHarness();
    const paused: string[] = [];
    const seen = new GrsaiError({ code: 'refused', outcome: 'refused', message: 'seen', ...error });
    const { submit } = handlersOf(harness, {
      grsai: refusing(harness, seen),
      probeKey: async () => keyTaken,
      pauses: {
        ...harness.control,
        pause: async (reason: string) => void paused.push(`${reason} while ${(await job.read()).stage}`),
        waits: async (queue: string, ms: number) => void paused.push(`${queue} ${ms}`),
      },
      upstream: { answered: () => {}, failed: () => {}, seen: () => {} },
      trouble: { judge: async () => judged ?? 'own', passed: () => {}, seen: () => {} },
    });
    const { on_unknown_submit, ...more } = (doc ?? {}) as { on_unknown_submit?: 'resubmit' };
    const job = await acceptedJob(harness, more, (same) => ({ ...same, ...(on_unknown_submit ? { on_unknown_submit } : {}) }));
    expect(await submit({ entry: { id: job.id, step: 1 }, stalled: false })).toEqual(outcome);
    expect(await job.read()).toMatchObject({
      status,
      attempts_used: used,
      error: code === undefined ? null : { code },
      // Of an unknown outcome its holder may still bring the task.
      lease: code === 'submit_unknown' ? { token: expect.any(String) } : null,
    });
    if (error.category === 'rate_limited') return expect(paused).toEqual([`submit ${(outcome as { ms: number }).ms}`]);
    // Before the entry goes back, which would meet the same again.
    expect(paused).toEqual(keyTaken ? [] : ['auth while submitting']);
  },
);

/** An upstream that answers each submit with this error. */
const refusing = (harness: Harness, error: GrsaiError) =>
  ({ ...harness.grsai, images: { ...harness.grsai.images, submit: () => Promise.reject(error) } }) as unknown as Harness['grsai'];

test('when the probe gave no answer eight times in a row then the next refusal uses up an attempt', async () => {
  const harness = await startHarness();
  const refused = new GrsaiError({ code: 'refused', outcome: 'refused', message: 'apikey error', category: 'auth' });
  const { submit } = handlersOf(harness, {
    grsai: refusing(harness, refused),
    trouble: { judge: async () => 'unclear', passed: () => {}, seen: () => {} },
  });
  const job = await acceptedJob(harness);
  const used: number[] = [];
  for (let n = 0; n < 10; n += 1) {
    await submit({ entry: { id: job.id, step: (await job.read()).step }, stalled: false });
    used.push((await job.read()).attempts_used);
    await harness.clock.advance(15_000);
  }
  expect(used).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
});

const CHAT = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hello' }] } };

test.each<[string, object, 'unknown' | 'transient', object]>([
  ['a chat', CHAT, 'unknown', { status: 'canceled', error: null, attempts: [{ outcome: 'failed' }] }],
  ['an image', {}, 'unknown', { status: 'failed', error: { code: 'upstream_failed' }, attempts: [{ outcome: 'failed' }] }],
  ['an image', {}, 'transient', { status: 'canceled', error: null, attempts: [{ outcome: 'retry' }] }],
])('when %s was canceled and its call refused then the job ends, and its entry with it', async (_, request, category, ended) => {
  const harness = await startHarness();
  const { id, read } = await acceptedJob(harness, request);
  const stopped: boolean[] = [];
  const refuse = async (_: unknown, { signal }: { signal: AbortSignal }) => {
    await harness.store.transitions.commit(await read(), { kind: 'request_cancel' });
    runner.inFlight.cancel(id);
    stopped.push(signal.aborted);
    throw new GrsaiError({ code: 'refused', outcome: 'refused', message: 'no', category });
  };
  const grsai = { images: { submit: refuse }, chat: { complete: refuse } } as unknown as Harness['grsai'];
  const { call, submit, runner } = handlersOf(harness, { grsai });
  expect(await (request === CHAT ? call : submit)({ entry: { id, step: 1 }, stalled: false })).toEqual(done);
  expect(await read()).toMatchObject({ ...ended, lease: null });
  // An image is paid for whatever its caller does.
  expect(stopped).toEqual([request === CHAT]);
});

test('when a stop cuts a call that may be made again then it comes back at once and has used up no attempt', async () => {
  const harness = await startHarness();
  const cut = new GrsaiError({ code: 'aborted', outcome: 'unknown', message: 'cut' });
  const { submit } = handlersOf(harness, {
    grsai: refusing(harness, cut),
    shutdown: { stopping: AbortSignal.abort(), cutting: AbortSignal.abort() },
  });
  const job = await acceptedJob(harness, { max_attempts: 1 }, (doc) => ({ ...doc, on_unknown_submit: 'resubmit' }));
  expect(await submit({ entry: { id: job.id, step: 1 }, stalled: false })).toEqual({ kind: 'wait', ms: 0 });
  expect(await job.read()).toMatchObject({ status: 'queued', attempts_used: 0, lease: null, attempts: [{ outcome: 'cut' }] });
});
