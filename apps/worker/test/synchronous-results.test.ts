import type { ChatCompletion } from '@grsai-jobs/grsai';
import { type JobDoc, type JobPrice, JobRequest, jobError } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { acceptedJob, type Harness, handlersOf, startHarness } from './harness.ts';

const LINKS = { outputs: [{ kind: 'link', url: 'https://files.example/1.png' }], raw: '' };

const COMPLETION: ChatCompletion = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'gemini-3.1-pro',
  choices: [{ index: 0, message: { role: 'assistant', content: 'paid for' }, finish_reason: 'stop' }],
};

/** A call stage whose upstream answers when the test says so, and one entry in it whose call is in flight. */
async function callInFlight(harness: Harness, request: object, price: JobPrice | null = null) {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const later = async <T>(result: T): Promise<T> => {
    asked.resolve();
    await answer.promise;
    return result;
  };
  const { call: stage } = handlersOf(harness, {
    grsai: {
      images: { ...harness.grsai.images, generations: () => later(LINKS) },
      chat: { ...harness.grsai.chat, complete: () => later(COMPLETION) },
    } as unknown as Harness['grsai'],
  });
  const docOf = (): JobDoc => ({ ...JobRequest.parse(request), on_unknown_submit: 'fail' });
  const { id, read } = await acceptedJob(harness, {}, docOf, undefined, price);
  const left = stage({ entry: { id, step: 1 }, stalled: false });
  await asked.promise;
  const answered = () => {
    answer.resolve();
    return left;
  };
  return { id, read, answered };
}

const CALLS: readonly [string, object, object][] = [
  [
    'the links of a synchronous image call',
    { type: 'image', via: 'generations', input: { model: 'nano-banana-2', prompt: 'a lighthouse' } },
    { links: [{ url: 'https://files.example/1.png' }] },
  ],
  [
    'a completion that may not be asked for again',
    { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hello' }] } },
    { completion: COMPLETION },
  ],
];

test.each(CALLS)(
  'when %s come after the run was given up as unknown then the job goes on with them',
  async (_what, request, unstored) => {
    const harness = await startHarness();
    const call = await callInFlight(harness, request);
    const error = jobError('submit_unknown', 'submitting');
    await harness.store.transitions.commit(await call.read(), { kind: 'finish', status: 'failed', error, keepLease: true });

    expect(await call.answered()).toEqual({ kind: 'done' });
    const after = await call.read();
    expect(after).toMatchObject({ status: 'running', stage: 'storing', run: 2, late_result: true, unstored });
    expect(await harness.producer.stateOf('store', after)).toBe('there');
  },
);

test.each(CALLS)('when %s come of a job that is to be canceled then they are its result all the same', async (_what, request) => {
  const harness = await startHarness();
  const call = await callInFlight(harness, request);
  await harness.store.transitions.commit(await call.read(), { kind: 'request_cancel' });
  expect(await call.answered()).toEqual({ kind: 'done' });
  expect(await call.read()).toMatchObject(
    request === CALLS[0]?.[1]
      ? { status: 'running', stage: 'storing', lease: null, attempts_used: 1 }
      : { status: 'succeeded', output: { completion: COMPLETION }, lease: null, attempts_used: 1 },
  );
});

test.each(CALLS)(
  'when %s come of a job that was canceled by whoever thought its worker dead then it is known what they cost',
  async (_what, request) => {
    const harness = await startHarness();
    const price = { reserve: 1200, refunds: { error: true, violation: false }, isOld: false };
    const call = await callInFlight(harness, request, price);
    const { commit } = harness.store.transitions;
    await commit(await call.read(), { kind: 'request_cancel' });
    await commit(await call.read(), { kind: 'finish', status: 'canceled', keepLease: true });
    expect(await call.answered()).toEqual({ kind: 'done' });
    expect(await call.read()).toMatchObject({ status: 'canceled', cost: { charged: 1200, open: null } });
  },
);

test.each(CALLS)('when Redis refuses to write %s then they are written as soon as it does not', async (_what, request) => {
  const harness = await startHarness();
  const call = await callInFlight(harness, request);
  await harness.redis.config('SET', 'min-replicas-to-write', '1');
  const refused = Promise.withResolvers<void>();
  harness.redis.once('refused', () => refused.resolve());
  const answered = call.answered();
  await Promise.race([refused.promise, answered.catch(() => undefined)]);
  await harness.redis.config('SET', 'min-replicas-to-write', '0');
  expect(await answered).toEqual({ kind: 'done' });
  expect((await call.read()).status).toBe(request === CALLS[0]?.[1] ? 'running' : 'succeeded');
});
