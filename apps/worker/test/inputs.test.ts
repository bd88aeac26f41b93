import { Readable } from 'node:stream';
import { mapPictures } from '@grsai-jobs/jobs';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import { expect, onTestFinished, test } from 'vitest';
import { createPauseControl } from '../src/pauses/pause-control.ts';
import { createUpstreamHealth } from '../src/pauses/upstream-health.ts';
import { createInputObjects } from '../src/stages/input-objects.ts';
import { createLearnedPace } from '../src/stages/learned-pace.ts';
import { createSubmitStage } from '../src/stages/submit.ts';
import { createKnownTasks } from '../src/stages/task-facts.ts';
import { acceptedJob, startKit, type TestKit } from './kit.ts';

const PICTURE = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(200_000, 7)]);

/** A submit stage whose pictures come from `open`, and how often upstream was found down. */
function submitOf(kit: TestKit, open: () => Promise<Readable>) {
  const pauses = createPauseControl({ pauses: kit.store.pauses, producer: kit.producer, clock: kit.clock, log: kit.log });
  const pace = createLearnedPace(kit.store.paces, () => {});
  onTestFinished(() => pace.stop());
  const failed: string[] = [];
  const upstream = createUpstreamHealth(pauses, kit.log);
  const stage = createSubmitStage({
    ...kit,
    pauses,
    pace,
    upstream: { ...upstream, failed: (error) => void failed.push(error.code) },
    probeKey: async () => true,
    limits: { maxInFlight: 0, rpm: 0 },
    tasks: createKnownTasks(),
    inputs: createInputObjects(
      { get: async () => ({ body: await open() }), signedUrl: async () => ({ url: '', expiresAt: 0 }) },
      'inline',
    ),
  });
  return { stage, failed };
}

/** A job with a picture of `PICTURE`'s size in the object store. */
async function jobWithPicture(kit: TestKit) {
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
    const kit = await startKit();
    const { stage, failed } = submitOf(kit, open);
    const { id, read } = await jobWithPicture(kit);
    expect(await stage({ entry: { id, step: 1 }, stalled: false })).toEqual({ kind: 'wait', ms: 15_000 });
    expect(await read()).toMatchObject({
      status: 'queued',
      spent: 0,
      attempts: [{ outcome: 'retry', error_code: 'body_failed' }],
    });
    expect(failed).toEqual([]);
    expect(kit.emulator.ledger.submits).toHaveLength(0);
  },
);

test('when the picture can be read then the task is taken', async () => {
  const kit = await startKit();
  const { stage } = submitOf(kit, async () => Readable.from([PICTURE]));
  const { id, read } = await jobWithPicture(kit);
  expect(await stage({ entry: { id, step: 1 }, stalled: false })).toEqual({ kind: 'done' });
  expect(await read()).toMatchObject({ status: 'running', stage: 'generating', spent: 1 });
});
