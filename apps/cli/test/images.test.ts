import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { run } from '../src/program.ts';
import { commandLine, folder } from './command-line.ts';
import { fakeHost } from './fake-host.ts';
import { json, startService } from './fake-service.ts';

const PICTURE = 'a paper lighthouse';
const FILE = {
  index: 0,
  content_type: 'image/png',
  bytes: PICTURE.length,
  sha256: createHash('sha256').update(PICTURE).digest('hex'),
  key: 'grsai-jobs/acme/2026/11/23/job_3/1-0.png',
};

test('when one of many jobs has no images then it is reported, the images of the others are saved, and the exit code tells', async () => {
  const service = await startService(({ path }, response) => {
    if (path.startsWith('/bucket/')) return void response.writeHead(200, { 'content-type': 'image/png' }).end(PICTURE);
    const id = path.slice(path.lastIndexOf('/') + 1);
    const images = id === 'job_1' ? [] : [{ ...FILE, url: `${service.url}/bucket/${id}.png` }];
    json(response, 200, { id, status: 'succeeded', result: { images } });
  });
  const dir = await folder();
  const { code, stderr } = await commandLine(service.url)(['images', 'job_1', 'job_2', '--dir', dir]);
  expect([code, await readdir(dir)]).toEqual([1, ['job_2-0.png']]);
  expect(stderr).toContain('job_1: it has no images (yet)');
});

test('when Ctrl-C is pressed while an image comes then it is not asked for again', async () => {
  const asked: string[] = [];
  const fake = fakeHost({
    fetch: async (input, init) => {
      asked.push(String(input));
      if (asked.length === 2) fake.interrupt();
      init?.signal?.throwIfAborted();
      const images = [{ ...FILE, url: 'http://bucket/1.png' }];
      return Response.json({ id: 'job_1', status: 'succeeded', result: { images } });
    },
  });
  expect(await run(['images', 'job_1', '--dir', await folder()], fake.host)).toBe(130);
  expect(asked).toEqual(['http://service/v1/jobs/job_1', 'http://bucket/1.png']);
});
