import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { batchFile, download } from '../src/node/index.ts';
import { cut, job, json, lost, problem, type Service, serveBy, text } from './service.ts';

const content = 'a paper lighthouse '.repeat(5_000);
const bytes = content.length;
const sha256 = createHash('sha256').update(content).digest('hex');
const key = 'grsai-jobs/acme/2026/11/23/job_1/1-0.png';
const PNG = { 'content-type': 'image/png' };

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'grsai-jobs-client-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** A service that is its own store: links are answered by `ways`, one after another. */
async function store(...ways: ReturnType<typeof text>[]) {
  let fetched = 0;
  const service: Service = await serveBy(({ url }) => {
    if (url.startsWith('/v1/jobs/job_1')) return json(job('succeeded', { result: { images: [fileOf(service, 'new')] } }));
    if (url.startsWith('/v1/batches/batch_1'))
      return json({ id: 'batch_1', results_file: { ...fileOf(service, 'new'), key: batchKey } });
    fetched += 1;
    return ways[Math.min(fetched, ways.length) - 1] ?? lost;
  });
  return service;
}
const batchKey = 'grsai-jobs/acme/2026/11/23/batch_1/results-1-3f9a2c71.ndjson';
const fileOf = ({ url }: Service, signature: string) => ({
  url: `${url}/bucket/1-0.png?signature=${signature}`,
  bytes,
  sha256,
  key,
});

test('when a file is downloaded then it is there whole, under its name alone, and is not fetched twice', async () => {
  const service = await store(text(content, PNG));
  const path = join(await folder(), 'deep', 'boat.png');
  const stored = { path, bytes, sha256 };
  expect(await download(service.client(), fileOf(service, 'old'), path)).toEqual(stored);
  expect(await readFile(path, 'utf8')).toBe(content);
  expect(await readdir(join(path, '..'))).toEqual(['boat.png']);
  expect(service.came[0]?.headers['authorization']).toBeUndefined();
  expect(await download(service.client(), fileOf(service, 'old'), path)).toEqual(stored);
  expect(service.came).toHaveLength(1);
});

test.each([
  [403, key, 'GET /v1/jobs/job_1'],
  [404, batchKey, 'GET /v1/batches/batch_1'],
])('when the store answers %i to a link then the link is renewed', async (status, ofKey, asked) => {
  const service = await store(problem(status, 'expired'), text(content, PNG));
  const path = join(await folder(), 'boat.png');
  await download(service.client(), { ...fileOf(service, 'old'), key: ofKey }, path);
  expect(service.lines()).toEqual(['GET /bucket/1-0.png?signature=old', asked, 'GET /bucket/1-0.png?signature=new']);
  expect(await readFile(path, 'utf8')).toBe(content);
});

test('when a download is cut, refused, or comes with a wrong byte then it begins again', async () => {
  const service = await store(
    cut(content.slice(0, 9_000), PNG),
    problem(503, 'slow_down'),
    text(content.replace('p', 'P'), PNG),
    text(content, PNG),
  );
  const path = join(await folder(), 'boat.png');
  await download(service.client(), fileOf(service, 'old'), path);
  expect(await readFile(path, 'utf8')).toBe(content);
  expect(service.came).toHaveLength(4);
});

test('when a file cannot be had then the error says why without the signature, what was there stays, and nothing is left beside it', async () => {
  const service = await store(problem(403, 'AccessDenied'));
  const path = join(await folder(), 'boat.png');
  await writeFile(path, 'an older boat');
  await expect(download(service.client(), fileOf(service, 'old'), path)).rejects.toMatchObject({
    name: 'PermissionError',
    status: 403,
  });
  await expect(download(service.client(), { ...fileOf(service, 'old'), key: 'other/job_1/1-1.png' }, path)).rejects.toMatchObject(
    { code: 'file_gone' },
  );
  const gone = download(
    service.client(),
    { ...fileOf(service, 'old'), url: 'http://127.0.0.1:9/boat.png?signature=secret' },
    path,
    { timeoutMs: 100 },
  );
  await expect(gone).rejects.toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }));
  expect(await readFile(path, 'utf8')).toBe('an older boat');
  expect(await readdir(join(path, '..'))).toEqual(['boat.png']);
});

test('when a download is aborted before its link is asked for then nothing is fetched and it rejects at once', async () => {
  const service = await store(text(content, PNG));
  const path = join(await folder(), 'boat.png');
  const controller = new AbortController();
  const downloading = download(service.client(), fileOf(service, 'old'), path, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(downloading).rejects.toThrow('enough');
  expect([service.came, await readdir(join(path, '..'))]).toEqual([[], []]);
});

test('when a batch is in a file, packed or not, then its bytes are sent', async () => {
  const service = await serveBy(() => json({ id: 'batch_1' }, 202));
  const dir = await folder();
  const lines = '{"custom_id":"a"}\n{"custom_id":"b"}\n';
  await writeFile(join(dir, 'a.ndjson'), lines);
  await writeFile(join(dir, 'a.ndjson.gz'), gzipSync(lines));
  const { batches } = service.client();
  await batches.create(batchFile(join(dir, 'a.ndjson')));
  await batches.create(batchFile(join(dir, 'a.ndjson.gz')));
  expect(service.came.map(({ body }) => body)).toEqual([lines, lines]);
  await expect(batches.create(batchFile(join(dir, 'missing.ndjson')))).rejects.toMatchObject({ code: 'ENOENT' });
});
