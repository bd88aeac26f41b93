import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { sendLines, waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startCapture } from './capture.ts';
import { image, type Job, startStack } from './stack.ts';

/** A PNG by its first bytes, and noise. */
const picture = (bytes: number): Buffer => Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), randomBytes(bytes - 8)]);
const dataUrl = (bytes: Buffer): string => `data:image/png;base64,${bytes.toString('base64')}`;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function start(env: Record<string, string> = {}, workers = 1) {
  const capture = await startCapture();
  const stack = await startStack({
    emulator: { taskMs: 300, chatMs: 20 },
    quickTasks: true,
    env: { GRSAI_BASE_URLS: capture.url, ...env },
    workers,
  });
  capture.passTo(stack.emulator.url);
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  const inputs = async () => (await stack.s3.keys()).filter((key) => key.includes('/in-'));
  return { ...stack, capture, client: redis, inputs };
}

const asks = (images: readonly string[], more: object = {}) => ({
  type: 'image',
  input: { model: 'nano-banana-2', prompt: 'a paper lighthouse', images },
  ...more,
});

/** The same picture as mail programs and browsers write it. */
const inLines = (url: string): string =>
  url.replace(/^data:image\/png/, '$&;name=a.png').replace(/[A-Za-z0-9+/=]{76}/g, '$&\r\n');
const untyped = (url: string): string => url.replace('image/png', '').replaceAll('+', '-').replace(/=+$/, '');

test('when a job has an inline image of 3 MiB then upstream gets it byte for byte, however its base64 is written, and the record holds a reference', async () => {
  const stack = await start();
  const large = dataUrl(picture(3 * 1024 * 1024));
  const small = dataUrl(picture(1000));
  const sent = await stack.tenant.post<Job & { input: object }>(
    '/v1/jobs',
    asks(['https://caller.example/a.png', inLines(large), untyped(small)], { webhook: image(stack.receiver).webhook }),
  );
  expect(sent.input).toMatchObject({
    images: ['https://caller.example/a.png', { content_type: 'image/png', bytes: 3 * 1024 * 1024 }, small],
  });
  expect(JSON.stringify(sent)).not.toContain('$object');
  const body = await stack.capture.post('/v1/api/generate');
  const [url, got, other] = body['images'] as string[];
  expect(sha256(got ?? '')).toBe(sha256(large));
  expect({ ...body, images: [url, other] }).toEqual({
    model: 'nano-banana-2',
    prompt: 'a paper lighthouse',
    replyType: 'async',
    images: ['https://caller.example/a.png', small],
  });
  const [raw] = stack.capture.bodies;
  expect(Number(raw?.length)).toBe(Buffer.byteLength(raw?.text ?? ''));
  expect(await stack.client.memory('USAGE', `{gj}:job:${sent.id}:doc`, 'SAMPLES', 0)).toBeLessThan(8 * 1024);
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  expect(await stack.inputs()).toEqual([`grsai-jobs/acme/${day}/${sent.id}/in-0.png`]);
  expect(await stack.tenant.finished(sent.id)).toMatchObject({ status: 'succeeded', attempts: [{}, {}] });
});

test('when chat messages and a synchronous image call have large images then both get them as data URLs too', async () => {
  const stack = await start();
  const bytes = picture(100_000);
  const content = [
    { type: 'text', text: 'What is "this"? 灯塔' },
    { type: 'image_url', image_url: { url: dataUrl(bytes), detail: 'low' } },
  ];
  const chats = [false, true].map((stream) => ({
    type: 'chat',
    input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content }], stream },
  }));
  // Bare base64 arrives as a data URL; upstream takes both (upstream.md §9.4).
  const held = asks([bytes.toString('base64')], { via: 'generations' });
  for (const body of [...chats, held]) {
    const { id } = await stack.tenant.post<Job>('/v1/jobs', body);
    expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded', error: null });
  }
  const bodies = stack.capture.bodies.map((each) => JSON.parse(each.text) as { stream?: boolean });
  const chat = { model: 'gemini-3.1-pro', messages: [{ role: 'user', content }] };
  expect(bodies.filter((each) => 'messages' in each).sort((a) => (a.stream ? 1 : -1))).toEqual([
    { ...chat, stream: false },
    { ...chat, stream: true },
  ]);
  expect(bodies).toContainEqual({
    model: 'nano-banana-2',
    prompt: 'a paper lighthouse',
    image: [dataUrl(bytes)],
    response_format: 'url',
  });
});

test('when INPUT_IMAGES is link then upstream gets a link that serves the bytes', async () => {
  const stack = await start({ INPUT_IMAGES: 'link' });
  const bytes = picture(50_000);
  await stack.tenant.post('/v1/jobs', asks([dataUrl(bytes)]));
  const { images } = (await stack.capture.post('/v1/api/generate')) as { images: string[] };
  const answer = await fetch(images[0] ?? '');
  expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
});

test('when a request makes no job then none of its images stays in S3', async () => {
  const stack = await start({}, 0);
  const first = asks([dataUrl(picture(40_000)), dataUrl(picture(40_000))]);
  const send = async (body: object, key = 'once') =>
    await stack.tenant.send('POST', '/v1/jobs', body, { 'idempotency-key': key });
  const made = (await (await send(first)).json()) as Job;
  const kept = await stack.inputs();
  expect(kept).toHaveLength(2);

  const replayed = await send(first);
  expect([replayed.status, ((await replayed.json()) as Job).id]).toEqual([202, made.id]);
  expect((await send(asks([dataUrl(picture(40_000))]))).status).toBe(422);

  const junk = asks([dataUrl(picture(40_000)), `data:image/png;base64,${randomBytes(40_000).toString('base64')}`]);
  const refused = await send(junk, 'junk');
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({ code: 'invalid_request', errors: [{ pointer: '/input/images/1' }] });
  const broken = await send(asks([`data:image/png;base64,${'AAAA='.repeat(20_000)}`]), 'broken');
  expect(await broken.json()).toMatchObject({
    errors: [{ pointer: '/input/images/0', message: 'is not base64 at character 27: "="' }],
  });

  stack.s3.outage('refuse');
  const long = await send(longChat(), 'long');
  expect([long.status, long.headers.get('retry-after'), ((await long.json()) as { code: string }).code]).toEqual([
    503,
    '2',
    'unavailable',
  ]);
  const away = await send(asks([dataUrl(picture(40_000))]), 'away');
  expect([away.status, ((await away.json()) as { code: string }).code]).toEqual([503, 'unavailable']);
  // What was accepted before needs no object store to be told again.
  const told = await send(first);
  expect([told.status, ((await told.json()) as Job).id]).toEqual([202, made.id]);
  stack.s3.outage(false);
  expect(await stack.inputs()).toEqual(kept);
  expect(await stack.client.keys('{gj}:job:*:doc')).toEqual([`{gj}:job:${made.id}:doc`]);
});

test('when an API process dies between the images of a request and its record then they are deleted an hour later', async () => {
  const stack = await start({}, 0);
  const kept = await stack.tenant.post<Job>('/v1/jobs', asks([dataUrl(picture(40_000))]));
  const died = stack.proxy.cutBefore(({ name, args }) => name === 'evalsha' && args.some((arg) => arg.includes('in-0.png')));
  stack.tenant.send('POST', '/v1/jobs', asks([dataUrl(picture(40_000))])).catch(() => undefined);
  await died;
  stack.api.kill('SIGKILL');
  await stack.api.exited;
  expect(await stack.inputs()).toHaveLength(2);
  const notes = '{gj}:input-notes';
  const [note = ''] = await stack.client.zrange(notes, '0', '-1');
  await stack.client.zadd(notes, Date.now() - 3_600_001, note);
  await stack.startWorker();
  await waitFor(async () => (await stack.inputs()).length === 1, { what: 'the images of no job to be deleted' });
  expect(await stack.inputs()).toEqual([expect.stringContaining(kept.id)]);
  await waitFor(async () => (await stack.client.exists(notes)) === 0);
});

test('when an image is gone from S3 before the submit then the job fails, nothing is sent, and upstream is not blamed', async () => {
  const stack = await start({}, 0);
  const { id } = await stack.tenant.post<Job>('/v1/jobs', asks([dataUrl(picture(40_000))]));
  const [key] = await stack.inputs();
  await fetch(`${stack.s3.endpoint}/${stack.s3.bucket}/${key}`, { method: 'DELETE' });
  await stack.startWorker();
  expect(await stack.tenant.finished(id)).toMatchObject({
    status: 'failed',
    error: { code: 'invalid_input', message: expect.stringContaining('no longer in the object store') },
  });
  expect(stack.capture.bodies).toEqual([]);
});

interface LargeJob extends Job {
  input: object | null;
  input_truncated?: boolean;
  model: string;
}

/** A chat whose input is far over 32 KiB, without and with a picture that is as large by itself. */
const longChat = (bytes?: Buffer) => ({
  type: 'chat',
  input: {
    model: 'gemini-3.1-pro',
    messages: Array.from({ length: 5 }, (_, i) => ({
      role: 'user',
      content: [
        { type: 'text', text: `${i} \u2028 "灯塔" `.repeat(2000) },
        ...(bytes === undefined ? [] : [{ type: 'image_url', image_url: { url: dataUrl(bytes) } }]),
      ],
    })),
  },
});

/** What a failed test can show of it. */
const digest = (value: unknown): string => sha256(JSON.stringify(canonical(value)));
const canonical = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_name, each: unknown) =>
      typeof each === 'object' && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
        : each,
    ),
  );

const truncated = { input: null, input_truncated: true };

test('when the JSON of an input is over 32 KiB then it is one object until the job is erased, upstream and GET have it whole, and all else says that it is truncated', async () => {
  const stack = await start();
  const bytes = picture(40_000);
  const body = longChat(bytes);
  const send = (more: object = {}) => stack.tenant.post<LargeJob>('/v1/jobs', { ...body, ...more });
  const sent = await send({ webhook: { url: stack.receiver.url } });
  expect(sent).toMatchObject({ ...truncated, model: 'gemini-3.1-pro' });
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  const folder = `grsai-jobs/acme/${day}/${sent.id}`;
  expect(await stack.s3.keys()).toEqual([...[0, 1, 2, 3, 4].map((i) => `${folder}/in-${i}.png`), `${folder}/input.json`]);
  expect(await stack.client.memory('USAGE', `{gj}:job:${sent.id}:doc`, 'SAMPLES', 0)).toBeLessThan(8 * 1024);

  expect(await stack.tenant.finished(sent.id)).toMatchObject({ status: 'succeeded' });
  expect(digest(await stack.capture.post('/v1/chat/completions'))).toBe(digest({ ...body.input, stream: false }));
  const shown = {
    ...body.input,
    messages: body.input.messages.map(({ content: [text], ...message }) => ({
      ...message,
      content: [text, { type: 'image_url', image_url: { url: { content_type: 'image/png', bytes: 40_000 } } }],
    })),
  };
  const read = await stack.tenant.get<LargeJob>(`/v1/jobs/${sent.id}`);
  expect([digest(read.input), read.input_truncated, read.status]).toEqual([digest(shown), undefined, 'succeeded']);
  const { data } = await stack.tenant.get<{ data: LargeJob[] }>('/v1/jobs?model=gemini-3.1-pro');
  expect(data).toMatchObject([{ id: sent.id, ...truncated }]);
  const [told] = await stack.receiver.waitFor(1);
  expect(JSON.parse(String(told?.body))).toMatchObject({ data: { id: sent.id, ...truncated } });

  // Where it cannot be read the job is shown without it, and a caller that keeps answers does not keep that one.
  stack.s3.outage('error');
  const without = await stack.tenant.send('GET', `/v1/jobs/${sent.id}`);
  expect([without.status, without.headers.get('etag'), await without.json()]).toMatchObject([200, null, truncated]);
  stack.s3.outage(false);
  expect((await stack.tenant.send('DELETE', `/v1/jobs/${sent.id}`)).status).toBe(204);
  expect(await stack.s3.keys()).toEqual([]);
});

test('when a job with a large input failed then a retry runs with all of it', async () => {
  const stack = await start({}, 0);
  const { input } = longChat();
  const { id } = await stack.tenant.post<Job>('/v1/jobs', { type: 'chat', input });
  expect((await stack.tenant.send('POST', `/v1/jobs/${id}/cancel`)).status).toBe(200);
  expect(await stack.tenant.post<LargeJob>(`/v1/jobs/${id}/retry`)).toMatchObject({ run: 2, ...truncated });
  await stack.startWorker();
  expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded', run: 2 });
  expect(digest(await stack.capture.post('/v1/chat/completions'))).toBe(digest({ ...input, stream: false }));
});

test('when lines of a batch have large inputs then each is one object, and of a batch that is refused none stays', async () => {
  const stack = await start({}, 0);
  const lineOf = (i: number, more: object = {}) => `${JSON.stringify({ custom_id: `l${i}`, ...longChat(), ...more })}\n`;
  const lines = Array.from({ length: 12 }, (_, i) => lineOf(i));
  const refused = await sendLines(stack, [...lines, lineOf(12, { type: 'song' })].join(''));
  expect(refused.status).toBe(422);
  // What was written of it is erased by a worker.
  const made = await sendLines(stack, lines.join(''));
  expect(made.status).toBe(202);
  await stack.startWorker();
  await waitFor(async () => (await stack.s3.keys()).filter((key) => key.endsWith('/input.json')).length === 12, {
    what: 'the inputs of the refused batch to be deleted',
  });
  const { id } = (await made.json()) as { id: string };
  await waitFor(async () => (await stack.tenant.get<{ status: string }>(`/v1/batches/${id}`)).status === 'completed', {
    timeoutMs: 30_000,
  });
  const bodies = stack.capture.bodies.map((each) => digest(JSON.parse(each.text)));
  expect(bodies).toEqual(Array(12).fill(digest({ ...longChat().input, stream: false })));
});

/** Resident memory of a process in MiB. */
const residentMiB = (pid: number): number =>
  Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;

test('when 16 jobs with 8 MiB pictures are submitted at once then the worker needs hardly more memory than with 1 MiB', async () => {
  const stack = await start({}, 0);
  const mostWith = async (mebibytes: number, tasks: number): Promise<number> => {
    const body = JSON.stringify(asks([dataUrl(picture(mebibytes * 1024 * 1024))]));
    for (let i = 0; i < 16; i += 1) expect((await stack.tenant.send('POST', '/v1/jobs', body)).status).toBe(202);
    const worker = await stack.startWorker({ SUBMIT_CONCURRENCY: '16' });
    let most = 0;
    await waitFor(
      () => {
        most = Math.max(most, residentMiB(worker.pid));
        return stack.emulator.ledger.tasks.length === tasks;
      },
      { timeoutMs: 120_000, everyMs: 10, what: `${tasks} tasks` },
    );
    await worker.stop();
    return most;
  };
  const small = await mostWith(1, 16);
  const large = await mostWith(8, 32);
  // Held whole the larger ones would be 112 MiB more as bytes, and 149 more as base64.
  expect(large - small).toBeLessThan(80);
});
