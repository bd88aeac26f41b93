import { JobRequest } from '@grsai-jobs/jobs';
import { ObjectStoreError, type PutBytesOptions } from '@grsai-jobs/object-store';
import { createLogger, createSliceQueue, systemTimers } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { createUploadInputs } from '../src/use-cases/upload-inputs.ts';

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
  const uploadInputs = createUploadInputs({
    timers: systemTimers,
    objects,
    notes: {
      write: async ({ jobId }) => void notes.push(jobId),
      forget: async () => void notes.pop(),
    },
    slices: createSliceQueue(),
    keyPrefix: '',
    limitMs: 20,
    log: createLogger({ name: 'test', level: 'silent', pretty: false }),
  });
  expect(await uploadInputs(DOC, JOB)).toEqual({ kind: 'not_uploaded', what: 'images' });
  expect(notes).toEqual([JOB.id]);
});

test.each([
  ['the connection to the object store breaks', 'unavailable', [JOB.id]],
  ['the object store refuses an input', 'denied', []],
] as const)('when %s then it is deleted, and stays noted only where it may still arrive', async (_, code, left) => {
  const noted = new Set<string>();
  const deleted: string[] = [];
  const uploadInputs = createUploadInputs({
    timers: systemTimers,
    objects: {
      putBytes: async () => Promise.reject(new ObjectStoreError(code, 'put')),
      delete: async (keys) => void deleted.push(...keys),
    },
    notes: {
      write: async ({ jobId }) => void noted.add(jobId),
      forget: async (notes) => {
        for (const { jobId } of notes) noted.delete(jobId);
      },
    },
    slices: createSliceQueue(),
    keyPrefix: '',
    limitMs: 60_000,
    log: createLogger({ name: 'test', level: 'silent', pretty: false }),
  });
  expect(await uploadInputs(DOC, JOB)).toEqual({ kind: 'not_uploaded', what: 'images' });
  expect([deleted.length, [...noted]]).toEqual([1, left]);
});

test('when a small picture comes without a type then it gets that of its bytes, wherever it stands, and nothing is stored', async () => {
  const refuse = async (): Promise<never> => Promise.reject(new Error('not to be asked'));
  const uploadInputs = createUploadInputs({
    timers: systemTimers,
    objects: { putBytes: refuse, delete: refuse },
    notes: { write: refuse, forget: refuse },
    slices: createSliceQueue(),
    keyPrefix: '',
    limitMs: 20,
    log: createLogger({ name: 'test', level: 'silent', pretty: false }),
  });
  const gif = Buffer.from('GIF89a\x01\x00\x01\x00\x00\x00\x00;', 'latin1').toString('base64');
  const typed = `data:image/gif;base64,${gif}`;
  const [bytes, untyped] = [`data:application/octet-stream;base64,${gif}`, `data:;base64,${gif.replace(/=+$/, '')}`];
  const chat = { model: 'm', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: bytes } }] }] };
  const edit = { model: 'm', prompt: 'x', images: [typed, untyped], mask: bytes };
  const uploaded = async (job: object) => await uploadInputs({ ...JobRequest.parse(job), on_unknown_submit: 'fail' }, JOB);
  expect(await uploaded({ type: 'image', input: edit })).toMatchObject({
    doc: { input: { ...edit, images: [typed, typed], mask: typed } },
  });
  expect(await uploaded({ type: 'chat', input: chat })).toMatchObject({
    doc: { input: { messages: [{ content: [{ image_url: { url: typed } }] }] } },
  });
  expect(await uploaded({ type: 'image', input: { ...edit, mask: 'data:;base64,aGVsbG8gd29ybGQ=' } })).toMatchObject({
    kind: 'invalid_images',
    errors: [{ pointer: '/input/mask', message: expect.stringMatching(/PNG, JPEG/) }],
  });
});
