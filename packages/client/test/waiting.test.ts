import { expect, test } from 'vitest';
import type { JobProgress, JobRequest } from '../src/index.ts';
import { type Answer, type Came, cut, event, job, json, lost, problem, type Service, SSE, serveBy, text } from './service.ts';

const chat: JobRequest = { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'Say hello' }] } };
const streams = (service: Service) => service.came.filter(({ url }) => url.endsWith('/events'));

/** Answers streams of events by `ways`, one after another; the job is live until it has been asked for `asked` times. */
async function serviceOf(ways: Answer[], asked: number) {
  let streamed = 0;
  let got = 0;
  return await serveBy((came: Came) => {
    if (came.method === 'POST') return json(job('queued'), 202);
    if (came.url.endsWith('/events')) {
      streamed += 1;
      return ways[Math.min(streamed, ways.length) - 1] ?? lost;
    }
    got += 1;
    return json(got < asked ? job('running') : job('succeeded', { result: { choices: [] } }), 200, { 'retry-after': '0' });
  });
}

test('when a job is run then its events are followed, and the ended job is returned', async () => {
  const service = await serviceOf([text(event(1, 'queued') + event(2, 'running', 40) + event(3, 'succeeded', 100), SSE)], 1);
  const told: JobProgress[] = [];
  const done = await service.client().jobs.run(chat, { onProgress: (progress) => told.push(progress) });
  expect(done).toMatchObject({ id: 'job_1', status: 'succeeded' });
  expect(told.map(({ status, progress }) => [status, progress])).toEqual([
    ['queued', 0],
    ['running', 40],
    ['succeeded', 100],
  ]);
  expect(service.lines()).toEqual(['POST /v1/jobs', 'GET /v1/jobs/job_1/events', 'GET /v1/jobs/job_1']);
});

test('when a stream is cut in the middle of an event then it goes on after the last whole one', async () => {
  const service = await serviceOf(
    [cut(event(1, 'queued') + event(2, 'running').slice(0, 30), SSE), text(event(2, 'running') + event(3, 'succeeded'), SSE)],
    2,
  );
  const told: string[] = [];
  await service.client().jobs.wait('job_1', { onProgress: ({ status }) => told.push(status) });
  expect(told).toEqual(['queued', 'running', 'succeeded']);
  expect(streams(service).map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '1']);
});

test.each([
  ['come as a page of a proxy', text('<h1>…</h1>', { 'content-type': 'text/html' })],
  ['are refused', problem(429, 'too_many_open_requests', { 'retry-after': '1' })],
  ['are cut before they begin', lost],
])('when the events %s then the job is asked for until it has ended', async (_, way) => {
  const service = await serviceOf([way], 6);
  expect(await service.client().jobs.wait('job_1')).toMatchObject({ status: 'succeeded' });
  expect(streams(service)).toHaveLength(3);
});

test('when the service is restarted in the middle of a wait then the wait goes on', async () => {
  const open = Promise.withResolvers<void>();
  const service = await serviceOf(
    [
      (response) => {
        response.writeHead(200, SSE).write(event(1, 'queued'));
        open.resolve();
      },
      text(event(2, 'succeeded'), SSE),
    ],
    2,
  );
  const waiting = service.client().jobs.wait('job_1');
  await open.promise;
  await service.stop();
  // Refused connections, until it is back.
  await expect(fetch(service.url)).rejects.toThrow();
  await service.start();
  expect(await waiting).toMatchObject({ status: 'succeeded' });
});

test('when the service stays away longer than the caller allows then the wait rejects', async () => {
  const service = await serviceOf([lost], 1);
  await service.stop();
  const waiting = service.client().jobs.wait('job_1', { outageMs: 300 });
  await expect(waiting).rejects.toMatchObject({ name: 'ConnectionError', retryable: true });
  await service.start();
});

test('when the time of a wait is over then it rejects with a TimeoutError, and the job goes on', async () => {
  const service = await serviceOf([(response) => void response.writeHead(200, SSE).write(': open\n\n')], 100);
  await expect(service.client().jobs.wait('job_1', { timeoutMs: 200 })).rejects.toMatchObject({
    name: 'TimeoutError',
    code: 'timeout',
  });
  expect(service.lines()).toEqual(['GET /v1/jobs/job_1/events']);
});

test.each([
  [
    'failed',
    { code: 'content_rejected', message: 'Change the prompt.', retryable: false, stage: 'generating' },
    'content_rejected',
    false,
  ],
  ['expired', { code: 'deadline_exceeded', message: 'Retry.', retryable: true, stage: 'queued' }, 'deadline_exceeded', true],
  ['canceled', null, 'job_canceled', false],
])('when a job that is run ends as %s then run rejects with it, and wait resolves', async (status, error, code, retryable) => {
  const ended = job(status, { error });
  const service = await serveBy((came) => {
    if (came.method === 'POST') return json(job('queued'), 202);
    return came.url.endsWith('/events') ? text(event(1, status), SSE) : json(ended);
  });
  const { jobs } = service.client();
  await expect(jobs.run(chat)).rejects.toMatchObject({ name: 'JobFailedError', code, retryable, job: ended });
  expect(await jobs.wait('job_1')).toEqual(ended);
});

test('when a job that is run has ended already then it is returned at once', async () => {
  const service = await serveBy(() => json(job('succeeded'), 202));
  expect(await service.client().jobs.run(chat, { idempotencyKey: 'k' })).toMatchObject({ status: 'succeeded' });
  expect(service.came).toHaveLength(1);
});

test('when what the caller does with progress fails then so does the wait', async () => {
  const service = await serviceOf([text(event(1, 'queued'), SSE)], 100);
  const onProgress = () => {
    throw new Error('the screen is gone');
  };
  await expect(service.client().jobs.wait('job_1', { onProgress })).rejects.toThrow('the screen is gone');
});

test('when events are iterated over then each comes once over cuts, and 204 is their end', async () => {
  const service = await serviceOf(
    [
      cut(event(4, 'queued'), SSE),
      cut(event(4, 'queued') + event(5, 'running'), SSE),
      (response) => void response.writeHead(204).end(),
    ],
    1,
  );
  const seen = await Array.fromAsync(service.client().jobs.events('job_1', { after: 3 }));
  expect(seen.map(({ seq }) => seq)).toEqual([4, 5]);
  expect(streams(service).map(({ headers }) => headers['last-event-id'])).toEqual(['3', '4', '5']);
});

test('when events are asked for that do not come through then the error says what to use', async () => {
  const service = await serviceOf([text('[]', { 'content-type': 'application/json' })], 1);
  const reading = Array.fromAsync(service.client().jobs.events('job_1'));
  await expect(reading).rejects.toMatchObject({ code: 'no_events', message: expect.stringContaining('jobs.wait') });
});

test('when the answer of a chat is streamed then each piece comes once over cuts, and a reset says what counts no more', async () => {
  const piece = (id: number, content: unknown, index = 0) =>
    `id: ${id}\ndata: ${JSON.stringify({ choices: [{ index, delta: { content } }] })}\n\n`;
  const named = (id: number, name: string, data: object) => `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const ways = [
    cut(piece(2_000_001, 'one ') + piece(2_000_002, 'two'), SSE),
    lost,
    text(
      [
        ...[piece(2_000_002, 'two'), named(4_000_000, 'reset', { attempt: 2 }), named(4_000_000, 'other', {})],
        ...[piece(4_000_001, [{ text: 'three' }]), piece(4_000_002, 'no', 1), named(5_000_002, 'end', { status: 'succeeded' })],
      ].join(''),
      SSE,
    ),
  ];
  const service = await serveBy((_, at) => ways[at] ?? lost);
  const seen = await Array.fromAsync(service.client().jobs.stream('job_1'));
  expect(seen.map((event) => (event.type === 'piece' ? event.text : event))).toEqual([
    ...['one ', 'two', { type: 'reset', id: 4_000_000, attempt: 2 }],
    ...['three', '', { type: 'end', id: 5_000_002, status: 'succeeded', complete: true }],
  ]);
  expect(service.lines()).toEqual(Array(3).fill('GET /v1/jobs/job_1/stream'));
  expect(service.came.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '2000002', '2000002']);
});
