import { jobError } from '@grsai-jobs/jobs';
import { waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { createUpstreamHealth } from '../src/pauses/upstream-health.ts';
import { createLearnedPace } from '../src/stages/learned-pace.ts';
import { acceptedJob, handlersOf } from './harness.ts';
import { DATA_URL, PIXEL, startStoreHarness } from './store-harness.ts';

const B64 = PIXEL.toString('base64');
const ENTRY = (id: string) => ({ entry: { id, step: 1 }, stalled: false });

/** The stages that make paid calls, on the upstream of the test. */
async function startPaidStages() {
  const kit = await startStoreHarness();
  const pauses = createPauseControl({ pauses: kit.store.pauses, producer: kit.producer, clock: kit.clock, log: kit.log });
  const pace = createLearnedPace(kit.store.paces, () => {});
  onTestFinished(() => pace.stop());
  const { call, submit } = handlersOf(kit, {
    grsai: kit.grsai,
    pauses,
    pace,
    upstream: createUpstreamHealth(pauses, kit.log),
    outputs: kit.outputs,
  });
  const heldJob = () => acceptedJob(kit, { via: 'generations' });
  return { ...kit, call, submit, heldJob };
}

test('when a synchronous image call answers with bytes then they are in the object store before the record says so, and never in it', async () => {
  const kit = await startPaidStages();
  kit.upstream.answer = { created: 1, data: [{ b64_json: B64 }, { url: DATA_URL }, { url: `${kit.url}/2` }] };
  kit.files.set('/2', 'good');
  const job = await kit.heldJob();
  expect(await kit.call(ENTRY(job.id))).toEqual({ kind: 'done' });
  const waiting = await job.read();
  const stored = { content_type: 'image/png', bytes: PIXEL.length, width: 1, height: 1 };
  expect(waiting).toMatchObject({
    status: 'running',
    stage: 'storing',
    unstored: { links: [{ stored: { index: 0, ...stored } }, { stored: { index: 1, ...stored } }, { url: `${kit.url}/2` }] },
  });
  expect(JSON.stringify(waiting)).not.toContain(B64.slice(0, 40));
  expect(await kit.s3.keys()).toHaveLength(2);
  await kit.run(job);
  const record = await job.read();
  expect(record).toMatchObject({ status: 'succeeded', output: { images: [{ index: 0 }, { index: 1 }, { index: 2 }] } });
  expect(record.output).not.toHaveProperty('lost');
  expect(kit.upstream.asked).toBe(1);
});

test('when S3 is away as bytes come in then they are tried until it takes them, and the call is not made again meanwhile', async () => {
  const kit = await startPaidStages();
  kit.upstream.answer = { data: [{ b64_json: B64 }] };
  const job = await kit.heldJob();
  kit.s3.outage(true);
  const called = kit.call(ENTRY(job.id));
  await waitFor(async () => kit.storage.said.includes('failed'), { what: 'a store that failed' });
  const untilBefore = (await job.read()).lease?.expires_at ?? 0;
  // Past the time that the call was said to take.
  await kit.clock.advance(untilBefore - kit.clock.now() - 1000);
  await waitFor(async () => ((await job.read()).lease?.expires_at ?? 0) > untilBefore, {
    what: 'a longer lease',
    timeoutMs: 20_000,
  });
  await kit.clock.advance(2000);
  expect(await kit.call(ENTRY(job.id))).toMatchObject({ kind: 'wait' });
  kit.s3.outage(false);
  expect(await called).toEqual({ kind: 'done' });
  await kit.run(job);
  expect((await job.read()).status).toBe('succeeded');
  expect(kit.upstream.asked).toBe(1);
}, 60_000);

test('when the run of a synchronous call was given up while its bytes waited for S3 then a new run ends with them', async () => {
  const kit = await startPaidStages();
  kit.upstream.answer = { data: [{ b64_json: B64 }] };
  const job = await kit.heldJob();
  kit.s3.outage(true);
  const called = kit.call(ENTRY(job.id));
  await waitFor(async () => kit.storage.said.includes('failed'), { what: 'a store that failed' });
  const record = await job.read();
  const error = jobError('submit_unknown', 'submitting');
  await kit.store.transitions.commit(record, { kind: 'finish', status: 'failed', error, keepLease: true });
  kit.s3.outage(false);
  await called;
  await kit.run(job);
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
])('when a synchronous image call brings what cannot be kept (%s) then that is told, and paid once', async (_, data, want) => {
  const kit = await startPaidStages();
  kit.upstream.answer = { data };
  const job = await kit.heldJob();
  await kit.call(ENTRY(job.id));
  await kit.run(job);
  expect(await job.read()).toMatchObject({ ...want, attempts_used: 1 });
  expect(kit.upstream.asked).toBe(1);
});

const done = (more: object) => ({ status: 'succeeded', ...more });
test.each<[string, object, string | null]>([
  ['with its id', done({ id: '6-abc', results: [{ b64_json: B64 }] }), '6-abc'],
  ['without an id', done({ results: [DATA_URL] }), null],
  ['with a number for an id', done({ id: 98765, results: B64 }), '98765'],
])(
  'when the answer to a submit is a task that is done, %s, then its picture is kept and nothing is asked',
  async (_, answer, taskId) => {
    const kit = await startPaidStages();
    kit.upstream.answer = answer;
    const job = await acceptedJob(kit);
    expect(await kit.submit(ENTRY(job.id))).toEqual({ kind: 'done' });
    expect(await job.read()).toMatchObject({
      status: 'running',
      stage: 'storing',
      task: taskId === null ? null : { id: taskId },
      attempts_used: 1,
    });
    await kit.run(job);
    expect(await job.read()).toMatchObject({
      status: 'succeeded',
      attempts: [{ stage: 'submit', outcome: 'accepted' }, { stage: 'store' }],
    });
    expect(kit.upstream.asked).toBe(1);
  },
);

test.each<[string, object, string]>([
  ['a number', { id: 98765, status: 'running' }, '98765'],
  ['task_id', { task_id: '6-abc', status: 'running' }, '6-abc'],
])('when the id in the answer to a submit is %s then the task is polled', async (_, answer, taskId) => {
  const kit = await startPaidStages();
  kit.upstream.answer = answer;
  const job = await acceptedJob(kit);
  await kit.submit(ENTRY(job.id));
  expect(await job.read()).toMatchObject({ status: 'running', stage: 'generating', task: { id: taskId } });
});
