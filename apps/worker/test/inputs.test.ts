import { Readable } from 'node:stream';
import { inputPieces, type JobDoc, mapPictures, type UnstoredResult, withStoredInput } from '@grsai-jobs/jobs';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import { expect, onTestFinished, test } from 'vitest';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { createUpstreamHealth } from '../src/pauses/upstream-health.ts';
import { createLearnedPace } from '../src/stages/task/learned-pace.ts';
import { createInputObjects } from '../src/stages/upstream/input-objects.ts';
import { acceptedJob, type Harness, handlersOf, startedCall, startHarness } from './harness.ts';

const PICTURE = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(200_000, 7)]);

/** A submit stage whose pictures come from `open`, and how often upstream was found down. */
function submitOf(harness: Harness, open: () => Promise<Readable>) {
  const pauses = createPauseControl({
    pauses: harness.store.pauses,
    producer: harness.producer,
    clock: harness.clock,
    log: harness.log,
  });
  const pace = createLearnedPace(harness.store.paces, () => {}, harness.timers);
  onTestFinished(() => pace.stop());
  const failed: string[] = [];
  const upstream = createUpstreamHealth(pauses, harness.log);
  const { submit: stage } = handlersOf(harness, {
    pauses,
    pace,
    upstream: { ...upstream, failed: (error) => void failed.push(error.code) },
    inputs: createInputObjects({
      ...harness,
      objects: { get: async () => ({ body: await open() }), signedUrl: async () => ({ url: '', expiresAt: 0 }) },
      how: 'inline',
    }),
  });
  return { stage, failed };
}

/** A job with a picture of `PICTURE`'s size in the object store. */
async function jobWithPicture(harness: Harness) {
  const reference = { $object: 'acme/in-0.png', content_type: 'image/png', bytes: PICTURE.length };
  return await acceptedJob(
    harness,
    { input: { model: 'nano-banana-2', prompt: 'a lighthouse', images: ['https://a.example/x.png'] } },
    (doc) => mapPictures(doc, () => reference),
  );
}

const troubles: readonly [string, () => Promise<Readable>][] = [
  ['S3 is away', async () => Promise.reject(new ObjectStoreError('unavailable', 'away'))],
  [
    'S3 breaks off in the middle',
    async () =>
      Readable.from(
        (async function* () {
          yield PICTURE.subarray(0, 100_000);
          throw new Error('reset');
        })(),
      ),
  ],
  ['the object is shorter than it was', async () => Readable.from([PICTURE.subarray(0, 1000)])],
];

test.each(troubles)(
  'when %s while a picture is sent then the job waits without an attempt, and upstream is not blamed',
  async (_what, open) => {
    const harness = await startHarness();
    const { stage, failed } = submitOf(harness, open);
    const { id, read } = await jobWithPicture(harness);
    expect(await stage({ entry: { id, step: 1 }, stalled: false })).toEqual({ kind: 'wait', ms: 15_000 });
    expect(await read()).toMatchObject({
      status: 'queued',
      attempts_used: 0,
      attempts: [{ outcome: 'retry', error_code: 'body_failed' }],
    });
    expect(failed).toEqual([]);
    expect(harness.emulator.ledger.submits).toHaveLength(0);
  },
);

test('when the picture can be read then the task is taken', async () => {
  const harness = await startHarness();
  const { stage } = submitOf(harness, async () => Readable.from([PICTURE]));
  const { id, read } = await jobWithPicture(harness);
  expect(await stage({ entry: { id, step: 1 }, stalled: false })).toEqual({ kind: 'done' });
  expect(await read()).toMatchObject({ status: 'running', stage: 'generating', attempts_used: 1 });
});

const FAILED_TASK = { status: 'failed' as const, error: `cannot draw "insufficient credits 灯塔"`, urls: [], raw: {} };
const PROMPT = 'insufficient credits 灯塔 '.repeat(1300);
const whole = (doc: JobDoc): string => [...inputPieces(doc)].join('');
const textOf = (harness: Harness) => {
  let text = '';
  const job = acceptedJob(harness, { input: { model: 'nano-banana-2', prompt: PROMPT } }, (doc) => {
    text = whole(doc);
    return withStoredInput(doc, { key: 'acme/input.json', bytes: Buffer.byteLength(text) });
  });
  return { job, text: () => Buffer.from(text) };
};

test('when the input is in the object store then upstream gets all of it, and its lease has time for reading it', async () => {
  const harness = await startHarness();
  const { job, text } = textOf(harness);
  const { id, read } = await job;
  const lease: (number | undefined)[] = [];
  const { stage } = submitOf(harness, async () => {
    const { lease: held } = await read();
    lease.push(held === null ? undefined : held.expires_at - held.acquired_at);
    return Readable.from([text().subarray(0, 20_000), text().subarray(20_000)]);
  });
  expect(await stage({ entry: { id, step: 1 }, stalled: false })).toEqual({ kind: 'done' });
  expect(await read()).toMatchObject({ status: 'running', stage: 'generating', attempts_used: 1 });
  const [request] = harness.emulator.requests.filter(({ kind }) => kind === 'image');
  expect(request?.body).toContain(PROMPT.slice(0, 500));
  expect(lease).toEqual([51_000]);
});

const unread: readonly [string, (text: Buffer) => Promise<Readable>][] = [
  ['S3 is away', async () => Promise.reject(new ObjectStoreError('unavailable', 'away'))],
  ['S3 refuses', async () => Promise.reject(new ObjectStoreError('denied', 'no'))],
  ['the text is cut off', async (text) => Readable.from([text.subarray(0, 1000)])],
  ['the text is longer than it was', async (text) => Readable.from([text, text])],
  ['the text is another', async (text) => Readable.from([Buffer.alloc(text.length, '{')])],
];

test.each(unread)(
  'when %s while the input is read then the job waits without an attempt and nothing is sent',
  async (_what, open) => {
    const harness = await startHarness();
    const { job, text } = textOf(harness);
    const { id, read } = await job;
    const { stage, failed } = submitOf(harness, () => open(text()));
    expect(await stage({ entry: { id, step: 1 }, stalled: false })).toEqual({ kind: 'wait', ms: 15_000 });
    expect(await read()).toMatchObject({
      status: 'queued',
      attempts_used: 0,
      attempts: [{ outcome: 'retry', error_code: 'body_failed' }],
    });
    expect(failed).toEqual([]);
    expect(harness.emulator.ledger.submits).toHaveLength(0);
  },
);

test('when the input is gone then the job ends as invalid_input and nothing is sent', async () => {
  const harness = await startHarness();
  const { id, read } = await textOf(harness).job;
  const { stage } = submitOf(harness, async () => Promise.reject(new ObjectStoreError('not_found', 'gone')));
  await stage({ entry: { id, step: 1 }, stalled: false });
  expect(await read()).toMatchObject({
    status: 'failed',
    error: { code: 'invalid_input', message: 'An input of this job is no longer in the object store. Send the job again.' },
  });
  expect(harness.emulator.ledger.submits).toHaveLength(0);
});

test('when the input of a chat is gone that has an answer already then that is the result', async () => {
  const harness = await startHarness();
  const chat = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: PROMPT }] } };
  const { id, read } = await acceptedJob(harness, chat, (doc) =>
    withStoredInput(doc, { key: 'acme/input.json', bytes: Buffer.byteLength(whole(doc)) }),
  );
  const completion = { choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: null }] };
  const unstored = { completion, dies_at: harness.clock.now() + 1e6 } as UnstoredResult;
  await harness.store.transitions.commit(await startedCall(harness, id), { kind: 'release', waitMs: 0, unstored });
  const inputs = createInputObjects({
    ...harness,
    objects: {
      get: async () => Promise.reject(new ObjectStoreError('not_found', 'gone')),
      signedUrl: async () => ({ url: '', expiresAt: 0 }),
    },
    how: 'inline',
  });
  await handlersOf(harness, { inputs }).call({ entry: { id, step: 1 }, stalled: false });
  expect(await read()).toMatchObject({
    ...{ status: 'succeeded', output: { kind: 'chat', completion }, error: null },
    attempts: [{ outcome: 'failed', error_code: 'body_failed' }],
  });
});

test('when a task failed and the input cannot be read then it is judged later, by the words of the caller too', async () => {
  const harness = await startHarness();
  const { job, text } = textOf(harness);
  const { id, read } = await job;
  const { stage } = submitOf(harness, async () => Readable.from([text()]));
  await stage({ entry: { id, step: 1 }, stalled: false });
  let away = true;
  const { poll } = handlersOf(harness, {
    grsai: { ...harness.grsai, images: { ...harness.grsai.images, result: async () => FAILED_TASK } } as never,
    inputs: createInputObjects({
      ...harness,
      objects: {
        get: async () => {
          if (away) throw new ObjectStoreError('unavailable', 'away');
          return { body: Readable.from([text()]) };
        },
        signedUrl: async () => ({ url: '', expiresAt: 0 }),
      },
      how: 'inline',
    }),
  });
  expect(await poll({ entry: { id, step: 2 }, stalled: false })).toEqual({ kind: 'wait', ms: 15_000 });
  expect(await read()).toMatchObject({ status: 'running', stage: 'generating' });
  away = false;
  await poll({ entry: { id, step: 2 }, stalled: false });
  // With its own words in the refusal it is a failed task, not an account without credits.
  expect(await read()).toMatchObject({ status: 'failed', error: { code: 'upstream_failed' } });
  expect(harness.asked.money).toBe(0);
});
