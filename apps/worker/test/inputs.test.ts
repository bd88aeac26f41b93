import { Readable } from 'node:stream';
import { inputPieces, type JobDoc, mapPictures, withStoredInput } from '@grsai-jobs/jobs';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import { expect, onTestFinished, test } from 'vitest';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { createUpstreamHealth } from '../src/pauses/upstream-health.ts';
import { createInputObjects } from '../src/stages/input-objects.ts';
import { createLearnedPace } from '../src/stages/learned-pace.ts';
import { acceptedJob, type Harness, handlersOf, startHarness } from './harness.ts';

const PICTURE = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(200_000, 7)]);

/** A submit stage whose pictures come from `open`, and how often upstream was found down. */
function submitOf(kit: Harness, open: () => Promise<Readable>) {
  const pauses = createPauseControl({ pauses: kit.store.pauses, producer: kit.producer, clock: kit.clock, log: kit.log });
  const pace = createLearnedPace(kit.store.paces, () => {});
  onTestFinished(() => pace.stop());
  const failed: string[] = [];
  const upstream = createUpstreamHealth(pauses, kit.log);
  const { submit: stage } = handlersOf(kit, {
    pauses,
    pace,
    upstream: { ...upstream, failed: (error) => void failed.push(error.code) },
    inputs: createInputObjects(
      { get: async () => ({ body: await open() }), signedUrl: async () => ({ url: '', expiresAt: 0 }) },
      'inline',
    ),
  });
  return { stage, failed };
}

/** A job with a picture of `PICTURE`'s size in the object store. */
async function jobWithPicture(kit: Harness) {
  const reference = { $object: 'acme/in-0.png', content_type: 'image/png', bytes: PICTURE.length };
  return await acceptedJob(
    kit,
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
    const kit = await startHarness();
    const { stage, failed } = submitOf(kit, open);
    const { id, read } = await jobWithPicture(kit);
    expect(await stage({ entry: { id, step: 1 }, stalled: false })).toEqual({ kind: 'wait', ms: 15_000 });
    expect(await read()).toMatchObject({
      status: 'queued',
      attempts_used: 0,
      attempts: [{ outcome: 'retry', error_code: 'body_failed' }],
    });
    expect(failed).toEqual([]);
    expect(kit.emulator.ledger.submits).toHaveLength(0);
  },
);

test('when the picture can be read then the task is taken', async () => {
  const kit = await startHarness();
  const { stage } = submitOf(kit, async () => Readable.from([PICTURE]));
  const { id, read } = await jobWithPicture(kit);
  expect(await stage({ entry: { id, step: 1 }, stalled: false })).toEqual({ kind: 'done' });
  expect(await read()).toMatchObject({ status: 'running', stage: 'generating', attempts_used: 1 });
});

const FAILED_TASK = { status: 'failed' as const, error: `cannot draw "insufficient credits 灯塔"`, urls: [], raw: {} };
const PROMPT = 'insufficient credits 灯塔 '.repeat(1300);
const whole = (doc: JobDoc): string => [...inputPieces(doc)].join('');
const textOf = (kit: Harness) => {
  let text = '';
  const job = acceptedJob(kit, { input: { model: 'nano-banana-2', prompt: PROMPT } }, (doc) => {
    text = whole(doc);
    return withStoredInput(doc, { key: 'acme/input.json', bytes: Buffer.byteLength(text) });
  });
  return { job, text: () => Buffer.from(text) };
};

test('when the input is in the object store then upstream gets all of it, and its lease has time for reading it', async () => {
  const kit = await startHarness();
  const { job, text } = textOf(kit);
  const { id, read } = await job;
  const lease: (number | undefined)[] = [];
  const { stage } = submitOf(kit, async () => {
    const { lease: held } = await read();
    lease.push(held === null ? undefined : held.expires_at - held.acquired_at);
    return Readable.from([text().subarray(0, 20_000), text().subarray(20_000)]);
  });
  expect(await stage({ entry: { id, step: 1 }, stalled: false })).toEqual({ kind: 'done' });
  expect(await read()).toMatchObject({ status: 'running', stage: 'generating', attempts_used: 1 });
  const [request] = kit.emulator.requests.filter(({ kind }) => kind === 'image');
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
    const kit = await startHarness();
    const { job, text } = textOf(kit);
    const { id, read } = await job;
    const { stage, failed } = submitOf(kit, () => open(text()));
    expect(await stage({ entry: { id, step: 1 }, stalled: false })).toEqual({ kind: 'wait', ms: 15_000 });
    expect(await read()).toMatchObject({
      status: 'queued',
      attempts_used: 0,
      attempts: [{ outcome: 'retry', error_code: 'body_failed' }],
    });
    expect(failed).toEqual([]);
    expect(kit.emulator.ledger.submits).toHaveLength(0);
  },
);

test('when the input is gone then the job ends as invalid_input and nothing is sent', async () => {
  const kit = await startHarness();
  const { id, read } = await textOf(kit).job;
  const { stage } = submitOf(kit, async () => Promise.reject(new ObjectStoreError('not_found', 'gone')));
  await stage({ entry: { id, step: 1 }, stalled: false });
  expect(await read()).toMatchObject({
    status: 'failed',
    error: { code: 'invalid_input', message: 'An input of this job is no longer in the object store. Send the job again.' },
  });
  expect(kit.emulator.ledger.submits).toHaveLength(0);
});

test('when a task failed and the input cannot be read then it is judged later, by the words of the caller too', async () => {
  const kit = await startHarness();
  const { job, text } = textOf(kit);
  const { id, read } = await job;
  const { stage } = submitOf(kit, async () => Readable.from([text()]));
  await stage({ entry: { id, step: 1 }, stalled: false });
  let away = true;
  const { poll } = handlersOf(kit, {
    grsai: { ...kit.grsai, images: { ...kit.grsai.images, result: async () => FAILED_TASK } } as never,
    inputs: createInputObjects(
      {
        get: async () => {
          if (away) throw new ObjectStoreError('unavailable', 'away');
          return { body: Readable.from([text()]) };
        },
        signedUrl: async () => ({ url: '', expiresAt: 0 }),
      },
      'inline',
    ),
  });
  expect(await poll({ entry: { id, step: 2 }, stalled: false })).toEqual({ kind: 'wait', ms: 15_000 });
  expect(await read()).toMatchObject({ status: 'running', stage: 'generating' });
  away = false;
  await poll({ entry: { id, step: 2 }, stalled: false });
  // With its own words in the refusal it is a failed task, not an account without credits.
  expect(await read()).toMatchObject({ status: 'failed', error: { code: 'upstream_failed' } });
  expect(kit.asked.money).toBe(0);
});
