import { expect, test } from 'vitest';
import { FILE_BATCHES_KEPT, type StoredFile } from '../src/index.ts';
import { startStore } from './harness.ts';

const fileOf = (id: string, more: Partial<StoredFile> = {}): StoredFile => ({
  ...{ id, tenant: 'acme', name: 'a.jsonl', purpose: 'batch', bytes: 100, sha256: 'x', key: `acme/${id}` },
  ...{ created_at: 1, expires_at: 2, ...more },
});
const noteOf = ({ id, key }: StoredFile) => ({ jobId: id, objects: [key] });

async function start() {
  const harness = await startStore();
  const { files, inputNotes } = harness.store;
  const store = async (file: StoredFile, allowance = {}) => {
    await inputNotes.write(noteOf(file));
    return await files.create(file, noteOf(file), allowance);
  };
  return { ...harness, files, inputNotes, store };
}

test('when a file is stored then its bytes count for its tenant until it is erased, however often either is sent', async () => {
  const { files, inputNotes, store } = await start();
  const file = fileOf('file-1');
  expect(await store(file)).toEqual({ kind: 'ok' });
  // Sent again by the client library.
  expect(await files.create(file, noteOf(file))).toEqual({ kind: 'ok' });
  expect(await inputNotes.before(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  expect(await files.read('file-1')).toEqual(file);
  const used = { redis: 0, stored: 150, live: 0 };
  expect(await store(fileOf('file-2'), { limits: used })).toMatchObject({
    kind: 'quota',
    quota: 'stored',
    limit: 150,
    used: 100,
  });
  for (let n = 0; n < 2; n += 1) await files.erase(file);
  expect(await files.read('file-1')).toBeNull();
  expect(await store(fileOf('file-2'), { limits: used })).toEqual({ kind: 'ok' });
});

test('when the object of a file is being deleted, as its upload took so long, then it becomes none', async () => {
  const { files, inputNotes } = await start();
  const file = fileOf('file-1');
  expect(await files.create(file, noteOf(file))).toEqual({ kind: 'late' });
  await inputNotes.write(noteOf(file));
  expect(await inputNotes.take(noteOf(file), 0)).toBe(true);
  expect(await files.create(file, noteOf(file))).toEqual({ kind: 'late' });
  expect(await files.read('file-1')).toBeNull();
});

const batchOf = (id: string) => ({
  ...{ id, tenant: 'acme', input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' },
  ...{ metadata: null, output_expires_s: null, created_at: 1, validates_until: 2, expires_at: 3 },
});

test('when batches of files have a key then it makes one, and one that came to nothing frees it', async () => {
  const { store } = await startStore();
  const { fileBatches } = store;
  const key = { route: 'r', key: 'k', fingerprint: 'f' };
  expect(await fileBatches.create(batchOf('batch_1'), key)).toEqual({ kind: 'made' });
  expect(await fileBatches.create(batchOf('batch_1'), key)).toEqual({ kind: 'made' });
  expect(await fileBatches.create(batchOf('batch_2'), { ...key, fingerprint: 'g' })).toEqual({
    ...{ kind: 'replay', id: 'batch_1', fingerprint: 'f' },
  });
  expect(await fileBatches.read('batch_2')).toBeNull();
  await fileBatches.forget(batchOf('batch_1'), key);
  expect(await fileBatches.create(batchOf('batch_2'), key)).toEqual({ kind: 'made' });
  await fileBatches.fail('batch_2', [{ code: 'c', line: 1, message: 'm', param: null }], 7);
  expect(await fileBatches.read('batch_2')).toMatchObject({ failed_at: 7, errors: [{ line: 1 }] });
  expect(await fileBatches.ids('acme', { order: 'desc', limit: 10 })).toEqual(['batch_2']);
});

test('when a tenant has made more batches of files than are kept then the oldest are forgotten', async () => {
  const { store } = await startStore();
  const { fileBatches } = store;
  const idOf = (n: number) => `batch_${String(n).padStart(5, '0')}`;
  for (let from = 0; from <= FILE_BATCHES_KEPT; from += 100)
    await Promise.all(
      Array.from({ length: Math.min(100, FILE_BATCHES_KEPT + 2 - from) }, (_, i) => fileBatches.create(batchOf(idOf(from + i)))),
    );
  const [first] = await fileBatches.ids('acme', { order: 'asc', limit: 1 });
  expect(first).toBe(idOf(2));
  expect(await fileBatches.read(idOf(1))).toBeNull();
  expect(await fileBatches.read(idOf(2))).not.toBeNull();
});
