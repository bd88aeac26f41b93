import { jobError } from '@grsai-jobs/jobs';
import { waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { createUpstreamHealth } from '../src/pauses/upstream-health.ts';
import { createLearnedPace } from '../src/stages/task/learned-pace.ts';
import { acceptedJob, handlersOf } from './harness.ts';
import { DATA_URL, PIXEL, startStoreHarness } from './store-harness.ts';

const B64 = PIXEL.toString('base64');
const ENTRY = (id: string) => ({ entry: { id, step: 1 }, stalled: false });

/** The stages that make paid calls, on the upstream of the test. */
async function startPaidStages() {
  const harness = await startStoreHarness();
  const pauses = createPauseControl({
    pauses: harness.store.pauses,
    producer: harness.producer,
    clock: harness.clock,
    log: harness.log,
  });
  const pace = createLearnedPace(harness.store.paces, () => {}, harness.timers);
  onTestFinished(() => pace.stop());
  const { call, submit } = handlersOf(harness, {
    grsai: harness.grsai,
    pauses,
    pace,
    upstream: createUpstreamHealth(pauses, harness.log),
    outputs: harness.outputs,
  });
  const heldJob = () => acceptedJob(harness, { via: 'generations' });
  return { ...harness, call, submit, heldJob };
}

test('when a synchronous image call answers with bytes then they are in the object store before the record says so, and never in it', async () => {
  const harness = await startPaidStages();
  harness.upstream.answer = { created: 1, data: [{ b64_json: B64 }, { url: DATA_URL }, { url: `${harness.url}/2` }] };
  harness.files.set('/2', 'good');
  const job = await harness.heldJob();
  expect(await harness.call(ENTRY(job.id))).toEqual({ kind: 'done' });
  const waiting = await job.read();
  const stored = { content_type: 'image/png', bytes: PIXEL.length, width: 1, height: 1 };
  expect(waiting).toMatchObject({
    status: 'running',
    stage: 'storing',
    unstored: { links: [{ stored: { index: 0, ...stored } }, { stored: { index: 1, ...stored } }, { url: `${harness.url}/2` }] },
  });
  expect(JSON.stringify(waiting)).not.toContain(B64.slice(0, 40));
  expect(await harness.s3.keys()).toHaveLength(2);
  await harness.run(job);
  const record = await job.read();
  expect(record).toMatchObject({ status: 'succeeded', output: { images: [{ index: 0 }, { index: 1 }, { index: 2 }] } });
  expect(record.output).not.toHaveProperty('lost');
  expect(harness.upstream.asked).toBe(1);
});

test('when S3 is away as bytes come in then they are tried until it takes them, and the call is not made again meanwhile', async () => {
  const harness = await startPaidStages();
  harness.upstream.answer = { data: [{ b64_json: B64 }] };
  const job = await harness.heldJob();
  harness.s3.outage(true);
  const called = harness.call(ENTRY(job.id));
  await waitFor(async () => harness.storage.said.includes('failed'), { what: 'a store that failed' });
  const untilBefore = (await job.read()).lease?.expires_at ?? 0;
  // Past the time that the call was said to take.
  await harness.clock.advance(untilBefore - harness.clock.now() - 1000);
  await waitFor(async () => ((await job.read()).lease?.expires_at ?? 0) > untilBefore, {
    what: 'a longer lease',
  });
  await harness.clock.advance(2000);
  expect(await harness.call(ENTRY(job.id))).toMatchObject({ kind: 'wait' });
  harness.s3.outage(false);
  expect(await called).toEqual({ kind: 'done' });
  await harness.run(job);
  expect((await job.read()).status).toBe('succeeded');
  expect(harness.upstream.asked).toBe(1);
}, 60_000);

test('when the run of a synchronous call was given up while its bytes waited for S3 then a new run ends with them', async () => {
  const harness = await startPaidStages();
  harness.upstream.answer = { data: [{ b64_json: B64 }] };
  const job = await harness.heldJob();
  harness.s3.outage(true);
  const called = harness.call(ENTRY(job.id));
  await waitFor(async () => harness.storage.said.includes('failed'), { what: 'a store that failed' });
  const record = await job.read();
  const error = jobError('submit_unknown', 'submitting');
  await harness.store.transitions.commit(record, { kind: 'finish', status: 'failed', error, keepLease: true });
  harness.s3.outage(false);
  await called;
  await harness.run(job);
  expect(await job.read()).toMatchObject({ status: 'succeeded', run: 2, late_result: true });
}, 60_000);

test.each<[string, object[], object]>([
  ['all of it is no picture', [{ b64_json: 'aGVsbG8=' }], { status: 'failed', error: { code: 'upstream_result_lost' } }],
  ['it is empty', [], { status: 'failed', error: { code: 'upstream_result_lost' } }],
  [
    'one of two is no picture',
    [{ b64_json: 'aGVsbG8=' }, { b64_json: B64 }],
    { status: 'succeeded', output: { images: [{ index: 1 }], lost: [{ index: 0, reason: expect.stringContaining('text') }] } },
  ],
])(
  'when a synchronous image call brings what cannot be kept (%s) then that is reported, and paid once',
  async (_, data, want) => {
    const harness = await startPaidStages();
    harness.upstream.answer = { data };
    const job = await harness.heldJob();
    await harness.call(ENTRY(job.id));
    await harness.run(job);
    expect(await job.read()).toMatchObject({ ...want, attempts_used: 1 });
    expect(harness.upstream.asked).toBe(1);
  },
);

const done = (more: object) => ({ status: 'succeeded', ...more });
test.each<[string, object, string | null]>([
  ['with its id', done({ id: '6-abc', results: [{ b64_json: B64 }] }), '6-abc'],
  ['without an id', done({ results: [DATA_URL] }), null],
  ['with a number for an id', done({ id: 98765, results: B64 }), '98765'],
])(
  'when the answer to a submit is a task that is done, %s, then its picture is kept and nothing is asked',
  async (_, answer, taskId) => {
    const harness = await startPaidStages();
    harness.upstream.answer = answer;
    const job = await acceptedJob(harness);
    expect(await harness.submit(ENTRY(job.id))).toEqual({ kind: 'done' });
    expect(await job.read()).toMatchObject({
      status: 'running',
      stage: 'storing',
      task: taskId === null ? null : { id: taskId },
      attempts_used: 1,
    });
    await harness.run(job);
    expect(await job.read()).toMatchObject({
      status: 'succeeded',
      attempts: [{ stage: 'submit', outcome: 'accepted' }, { stage: 'store' }],
    });
    expect(harness.upstream.asked).toBe(1);
  },
);

test.each<[string, object, string]>([
  ['a number', { id: 98765, status: 'running' }, '98765'],
  ['task_id', { task_id: '6-abc', status: 'running' }, '6-abc'],
])('when the id in the answer to a submit is %s then the task is polled', async (_, answer, taskId) => {
  const harness = await startPaidStages();
  harness.upstream.answer = answer;
  const job = await acceptedJob(harness);
  await harness.submit(ENTRY(job.id));
  expect(await job.read()).toMatchObject({ status: 'running', stage: 'generating', task: { id: taskId } });
});
