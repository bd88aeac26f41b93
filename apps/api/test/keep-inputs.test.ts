import { JobRequest } from '@grsai-jobs/jobs';
import { ObjectStoreError, type PutBytesOptions } from '@grsai-jobs/object-store';
import { createLogger } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { createKeepInputs } from '../src/use-cases/keep-inputs.ts';

const PICTURE = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(40_000, 7)]);
const DOC = {
  type: 'image',
  input: { model: 'nano-banana-2', prompt: 'x', images: [`data:image/png;base64,${PICTURE.toString('base64')}`] },
} as never;
const JOB = { id: 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D', tenant: 'acme', created_at: 0 };

test('when the object store does not answer then the request is refused in time, and what may still arrive stays noted', async () => {
  // Like a store behind a firewall that drops what it gets.
  const objects = {
    putBytes: async (_key: string, _bytes: Uint8Array, { signal }: PutBytesOptions): Promise<never> =>
      await new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new ObjectStoreError('aborted', 'aborted by the caller')));
      }),
    delete: async () => Promise.reject(new ObjectStoreError('unavailable', 'not to be asked')),
  };
  const notes: string[] = [];
  const keepInputs = createKeepInputs({
    objects,
    notes: {
      write: async ({ jobId }) => void notes.push(jobId),
      forget: async () => void notes.pop(),
    },
    keyPrefix: '',
    limitMs: 20,
    log: createLogger({ name: 'test', level: 'silent', pretty: false }),
  });
  await expect(keepInputs(DOC, JOB)).rejects.toMatchObject({ code: 'unavailable' });
  expect(notes).toEqual([JOB.id]);
});

test('when a small picture comes without a type then it gets that of its bytes, wherever it stands, and nothing is stored', async () => {
  const refuse = async (): Promise<never> => Promise.reject(new Error('not to be asked'));
  const keepInputs = createKeepInputs({
    objects: { putBytes: refuse, delete: refuse },
    notes: { write: refuse, forget: refuse },
    keyPrefix: '',
    limitMs: 20,
    log: createLogger({ name: 'test', level: 'silent', pretty: false }),
  });
  const gif = Buffer.from('GIF89a\x01\x00\x01\x00\x00\x00\x00;', 'latin1').toString('base64');
  const typed = `data:image/gif;base64,${gif}`;
  const [bytes, untyped] = [`data:application/octet-stream;base64,${gif}`, `data:;base64,${gif.replace(/=+$/, '')}`];
  const chat = { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: bytes } }] }] };
  const edit = { model: 'm', prompt: 'x', images: [typed, untyped], mask: bytes };
  const kept = async (job: object) => await keepInputs({ ...JobRequest.parse(job), on_unknown_submit: 'fail' }, JOB);
  expect((await kept({ type: 'image', input: edit })).doc.input).toEqual({ ...edit, images: [typed, typed], mask: typed });
  expect((await kept({ type: 'chat', input: chat })).doc.input).toMatchObject({
    messages: [{ content: [{ image_url: { url: typed } }] }],
  });
  await expect(kept({ type: 'image', input: { ...edit, mask: 'data:;base64,aGVsbG8gd29ybGQ=' } })).rejects.toMatchObject({
    errors: [{ pointer: '/input/mask', message: expect.stringMatching(/PNG, JPEG/) }],
  });
});
