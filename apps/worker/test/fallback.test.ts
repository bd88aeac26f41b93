import { createReopenJob } from '@grsai-jobs/job-actions';
import type { JobDoc, JobPrice } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { acceptedJob, type Harness, handlersOf, startedCall, startHarness } from './harness.ts';

const HOUR = 3_600_000;

const [FIRST, SECOND, THIRD] = ['nano-banana-2', 'nano-banana-pro', 'nano-banana-2-lite'];
const price = (reserve: number, error = true): JobPrice => ({ reserve, refunds: { error, violation: false }, isOld: false });
const PRICES = [price(1200), price(1800), price(440)];

const jobOf = async (harness: Harness, prompt: string, more: object = {}, prices: (JobPrice | null)[] = PRICES) =>
  await acceptedJob(
    harness,
    { input: { model: FIRST, prompt }, fallback_models: [SECOND, THIRD], max_attempts: 1, ...more },
    (doc): JobDoc => ({ ...doc, fallback_prices: prices }),
    undefined,
    prices[0],
  );

/** A worker takes the entry that the job has now. */
async function work(harness: Harness, job: Awaited<ReturnType<typeof jobOf>>, o: Parameters<typeof handlersOf>[1] = {}) {
  const { id, step, stage, doc } = await job.read();
  const handlers = handlersOf(harness, o);
  const handler = stage === 'generating' ? handlers.poll : doc.type === 'chat' ? handlers.call : handlers.submit;
  await handler({ entry: { id, step } } as never);
  return await job.read();
}

const modelsAsked = ({ emulator }: Harness) => emulator.ledger.submits.map(({ model }) => model);

test('when models take no calls then a run goes on with the next, each once, at its own price, and the record says which made the result', async () => {
  const harness = await startHarness();
  await harness.emulator.configure({ models: { [FIRST]: 'maintenance', [SECOND]: 'maintenance' } });
  const job = await jobOf(harness, 'a boat');
  expect(await work(harness, job)).toMatchObject({ status: 'queued', attempts_used: 0, price: PRICES[1], run: 1 });
  expect(await work(harness, job)).toMatchObject({ status: 'queued', doc: { input: { model: THIRD }, asked_model: FIRST } });
  expect(await work(harness, job)).toMatchObject({ stage: 'generating', price: PRICES[2], cost: { open: 440 } });
  expect(modelsAsked(harness)).toEqual([FIRST, SECOND, THIRD]);
  expect(harness.emulator.ledger.creditsTaken).toBe(440);
});

test('when the last of its models fails too then the run ends, and another run begins with the first', async () => {
  const harness = await startHarness();
  await harness.emulator.configure({ models: { [FIRST]: 'maintenance', [SECOND]: 'maintenance', [THIRD]: 'maintenance' } });
  const job = await jobOf(harness, 'a boat');
  for (let n = 0; n < 3; n += 1) await work(harness, job);
  const failed = await job.read();
  expect(failed).toMatchObject({ status: 'failed', error: { code: 'model_unavailable' }, doc: { input: { model: THIRD } } });
  await createReopenJob(harness)(failed, 'resubmit');
  expect(await job.read()).toMatchObject({ status: 'queued', run: 2, doc: { input: { model: FIRST } }, price: PRICES[0] });
  expect((await job.read()).doc.asked_model).toBeUndefined();
});

test.each([
  ['came back', PRICES, {}, { status: 'queued', doc: { input: { model: SECOND } } }],
  ['are gone', [price(1200, false), ...PRICES], {}, { status: 'failed', doc: { input: { model: FIRST } } }],
  [
    'are gone, and its caller pays for more',
    [price(1200, false), ...PRICES],
    { resubmit_failed: 'always' },
    { status: 'queued', doc: { input: { model: SECOND } } },
  ],
])(
  'when a task fails at its last attempt and its credits %s then the run goes on with the next model or ends',
  async (_, prices, more, after) => {
    const harness = await startHarness();
    const job = await jobOf(harness, 'a boat [[outcome=failed]]', more, prices);
    await work(harness, job);
    await harness.clock.advance(2000);
    expect(await work(harness, job)).toMatchObject(after);
  },
);

test.each([
  ['nobody knows whether a submit made a task', '[[fault=F6]]', 'submit_unknown'],
  ['the content policy refuses it', '[[fault=F24:as=policy-zh]]', 'content_rejected'],
  ['upstream refuses it in words that nobody knows', '[[fault=F20:as=refused,text=zyx]]', 'upstream_failed'],
])('when %s then no other model is asked', async (_, fault, code) => {
  const harness = await startHarness();
  const job = await jobOf(harness, `a boat ${fault}`);
  expect(await work(harness, job)).toMatchObject({ status: 'failed', error: { code }, doc: { input: { model: FIRST } } });
  expect(modelsAsked(harness)).toEqual([FIRST]);
});

test('when a chat used up its attempts then the next model answers', async () => {
  const harness = await startHarness();
  await harness.emulator.configure({ chatMs: 0 });
  const input = { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hello [[fault=F21:as=failed]]' }] };
  const job = await jobOf(harness, '', { type: 'chat', input, fallback_models: ['gemini-3-flash'] }, [null, null]);
  await work(harness, job);
  expect(await work(harness, job)).toMatchObject({ status: 'succeeded', doc: { input: { model: 'gemini-3-flash' } } });
  expect(modelsAsked(harness)).toEqual(['gemini-3.1-pro', 'gemini-3-flash']);
});

test('when the worker of a chat dies in its last attempt then the next model answers, unless the chat is not to be called again', async () => {
  const harness = await startHarness();
  await harness.emulator.configure({ chatMs: 0 });
  const chat = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hello' }] } };
  const diedIn = async (on_unknown_submit: JobDoc['on_unknown_submit']) => {
    const more = { ...chat, fallback_models: ['gemini-3-flash'], max_attempts: 1 };
    const docOf = (doc: JobDoc): JobDoc => ({ ...doc, on_unknown_submit, fallback_prices: [price(10), price(4)] });
    const job = await acceptedJob(harness, more, docOf, undefined, price(10));
    await startedCall(harness, job.id);
    await harness.clock.advance(HOUR);
    return job;
  };
  const job = await diedIn('resubmit');
  expect(await work(harness, job)).toMatchObject({ status: 'queued', attempts_used: 0, price: price(4), cost: { unknown: 10 } });
  expect(await work(harness, job)).toMatchObject({ status: 'succeeded', doc: { input: { model: 'gemini-3-flash' } } });
  expect(modelsAsked(harness)).toEqual(['gemini-3-flash']);
  expect(await work(harness, await diedIn('fail'))).toMatchObject({ status: 'failed', error: { code: 'submit_unknown' } });
});
