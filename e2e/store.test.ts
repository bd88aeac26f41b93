import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { listen, waitFor } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { image, type Job, shareStack, startStack } from './stack.ts';

const freshStack = shareStack({ emulator: { taskMs: 300 }, quickTasks: true });

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('whatever a result file is like, what is stored is what its bytes are, and a source that only seems to work is not', async () => {
  const stack = await freshStack();
  const rows: readonly [string, object][] = [
    ['[[format=png]]', { content_type: 'image/png' }],
    ['[[format=jpeg-named-png]]', { content_type: 'image/jpeg', key: expect.stringMatching(/\.jpg$/) }],
    ['[[length=no]]', { sha256: expect.any(String) }],
    ['[[length=no]] [[bytes=7000000]]', { bytes: 7_000_000 }],
    ['[[bytes=9000000]]', { bytes: 9_000_000 }],
    ['[[size=640x480]]', { width: 640, height: 480 }],
    ['[[fault=F18:as=slow]]', { sha256: expect.any(String) }],
    ['[[fault=F18:as=type]]', { content_type: expect.stringMatching(/^image\//) }],
    ['[[fault=F18:as=403]]', { sha256: expect.any(String) }],
    ['[[fault=F18:as=html,times=2]]', { sha256: expect.any(String) }],
    ['[[fault=F12:as=strings]]', { sha256: expect.any(String) }],
    ['[[fault=F12:as=object]]', { sha256: expect.any(String) }],
    ['[[fault=F12:as=data-url]] [[format=png]]', { content_type: 'image/png', width: 256 }],
    ['[[fault=F12:as=b64_json]] [[outputs=3]]', { sha256: expect.any(String) }],
  ];
  const sent = await Promise.all(
    rows.map(async ([prompt, facts]) => ({
      prompt,
      facts,
      id: (await stack.tenant.post<Job>('/v1/jobs', image(stack.receiver, prompt))).id,
    })),
  );
  for (const { prompt, facts, id } of sent) {
    const job = await stack.tenant.finished(id);
    expect({ prompt, status: job.status, image: job.result?.images?.[0] }).toMatchObject({
      prompt,
      status: 'succeeded',
      image: facts,
    });
    const stored = job.result.images?.[0];
    const bytes = new Uint8Array(await (await fetch(stored?.url ?? '')).arrayBuffer());
    expect({ prompt, sha256: sha256(bytes), bytes: bytes.byteLength }).toEqual({
      prompt,
      sha256: stored?.sha256,
      bytes: stored?.bytes,
    });
  }
  expect(await stack.s3.openUploads()).toBe(0);
});

test('when a result link redirects in raw UTF-8 to a packed file then that is stored, and nothing of an address that is forbidden', async () => {
  const origin = { url: '' };
  // Stands where the links of upstream point: sends each file on to the emulator, and one to the metadata address.
  const packed = Buffer.from('/图 1').toString('latin1');
  const sendPacked = async (path: string, response: ServerResponse): Promise<void> => {
    const file = Buffer.from(await (await fetch(origin.url + path)).arrayBuffer());
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(file));
  };
  const front = await listen(
    createServer((request, response) => {
      const path = request.url ?? '';
      if (path.startsWith(encodeURI('/图 1'))) void sendPacked(path.slice(encodeURI('/图 1').length), response);
      else if (path.includes('forbidden')) response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
      else response.writeHead(302, { location: packed + path }).end();
    }),
    onTestFinished,
  );
  const stack = await startStack({ emulator: { taskMs: 300, fileBase: front }, quickTasks: true });
  origin.url = stack.emulator.url;
  const { id } = await stack.tenant.post<Job>('/v1/jobs', image(stack.receiver, '[[size=640x480]]'));
  const [stored] = (await stack.tenant.finished(id)).result?.images ?? [];
  expect(stored).toMatchObject({ width: 640, height: 480 });
  expect(sha256(new Uint8Array(await (await fetch(stored?.url ?? '')).arrayBuffer()))).toBe(stored?.sha256);
  stack.emulator.configure({ fileBase: `${front}/forbidden` });
  const other = await stack.tenant.post<Job>('/v1/jobs', image(stack.receiver, 'forbidden'));
  const tried = await waitFor(
    async () => {
      const job = await stack.tenant.job(other.id);
      return job.attempts.some((attempt) => attempt.stage === 'store') ? job : undefined;
    },
    { timeoutMs: 30_000, what: 'a try to store' },
  );
  expect(tried.attempts.find((attempt) => attempt.stage === 'store')).toMatchObject({ error_code: 'forbidden_address' });
});

test('when S3 is away as a result comes in then it is stored when S3 is back, and the task is not submitted again', async () => {
  const stack = await freshStack();
  stack.s3.outage(true);
  const { id } = await stack.tenant.post<Job>('/v1/jobs', image(stack.receiver));
  await waitFor(async () => (await stack.tenant.job(id)).attempts.some((attempt) => attempt.error_code === 'storage_failed'), {
    timeoutMs: 40_000,
    what: 'a failed store',
  });
  expect(await stack.tenant.job(id)).toMatchObject({ status: 'running', stage: 'storing' });
  stack.s3.outage(false);
  expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded' });
  expect(stack.emulator.ledger.tasksOf({})).toHaveLength(1);
});
