import { Readable } from 'node:stream';
import { objectFolder } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { lookForResults } from '../src/operations/look-for-results.ts';
import { acceptedJob, startHarness } from './harness.ts';

const PICTURE = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(200, 7)]);
const OPERATION = {
  id: 'look-for-results:all',
  kind: 'look-for-results',
  order: {},
  cursor: null,
  by: 'me',
  lost: 0,
  created_at: 0,
};

test.each([
  ['once', 1, { status: 'succeeded', output: { images: [{ index: 0, bytes: PICTURE.length }] } }, 0],
  ['each time', 100, { status: 'queued' }, 1],
])(
  'when a held job whose results are there is changed %s as they are read then it is not let go before they are on record',
  async (_, times, ends, held) => {
    const harness = await startHarness();
    const { store, clock } = harness;
    const { id, read } = await acceptedJob(harness);
    const folder = objectFolder('', await read());
    await store.suspects.hold([id], clock.now());
    let changes = 0;
    const objects = {
      // Its entry was lost, and a repair adds another.
      list: async () => {
        changes += 1;
        if (changes <= times) await store.transitions.commit(await read(), { kind: 'requeue' });
        return [`${folder}/1-0.png`];
      },
      get: async () => ({ body: Readable.from([PICTURE]), contentType: 'image/png', bytes: PICTURE.length }),
    };
    expect(await lookForResults({ ...harness, objects, keyPrefix: '' })(OPERATION)).toEqual({ done: true });
    expect(await read()).toMatchObject(ends);
    expect(await store.suspects.count()).toBe(held);
  },
);
