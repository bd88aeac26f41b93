import { Readable } from 'node:stream';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import { createLogger } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { createFileUseCases } from './files.ts';

test('when an upload breaks off while the store has its bytes then what may still arrive stays noted', async () => {
  const noted = new Set<string>();
  const broken = new AbortController();
  const files = createFileUseCases({
    files: { create: async () => ({ kind: 'ok' }), erase: async () => undefined },
    objects: {
      put: async (key, body) => {
        for await (const _ of body);
        broken.abort(new Error('the form has no end'));
        throw new ObjectStoreError('unavailable', `put ${key}: aborted`);
      },
      delete: async () => undefined,
    },
    notes: {
      write: async ({ jobId }) => void noted.add(jobId),
      forget: async (notes) => {
        for (const { jobId } of notes) noted.delete(jobId);
      },
    },
    tenants: { allowance: async () => ({}) },
    keyPrefix: 'grsai-jobs/',
    newUlid: () => '01K9ZV5W3N8Q2R4T6V8X0Z2B4D',
    clock: { now: () => 1_764_000_000_000 },
    log: createLogger({ name: 'test', level: 'silent', pretty: false }),
  });
  const bytes = Readable.from([Buffer.from('{}')]);
  const upload = files.upload({ tenant: 'acme', name: 'a', purpose: 'batch', bytes, signal: broken.signal });
  await expect(upload).rejects.toThrow('the form has no end');
  expect([...noted]).toEqual(['file-01K9ZV5W3N8Q2R4T6V8X0Z2B4D']);
});
