import type { JobEvent } from '@grsai-jobs/client';
import { expect, test } from 'vitest';
import { commandLine } from './command-line.ts';
import { json, startService } from './fake-service.ts';

const event = (seq: number, status: string, more: Pick<Partial<JobEvent>, 'run'> = {}): string => {
  const data = {
    job_id: 'job_1',
    seq,
    type: `job.${status}`,
    status,
    stage: null,
    run: 1,
    progress: 0,
    timestamp: '2026-05-01T12:00:00Z',
  };
  return `id: ${seq}\nevent: job.${status}\ndata: ${JSON.stringify({ ...data, ...more })}\n\n`;
};

const JOB = { id: 'job_1', status: 'succeeded', run: 1, error: null, created_at: null, finished_at: null };
const CHAT = { ...JOB, result: { choices: [{ message: { content: 'hello' } }] } };

/** Streams in turn, each with what it says and how it ends; then the job itself. */
async function startStreams(job: object, ...streams: { say: string; end: 'close' | 'break' | 'hang' | 204 }[]) {
  const asked: (string | undefined)[] = [];
  const service = await startService((taken, response) => {
    if (!taken.path.endsWith('/events')) return json(response, 200, job);
    asked.push(taken.headers['last-event-id'] as string | undefined);
    const stream = streams.shift();
    if (stream === undefined) throw new Error('one stream too many');
    if (stream.end === 204) return void response.writeHead(204).end();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(stream.say);
    if (stream.end === 'close') response.end();
    else if (stream.end === 'break') setImmediate(() => response.socket?.destroy());
  });
  return { ...service, asked };
}

test('when the stream breaks within an event, and is closed before the end, then no event is lost or there twice', async () => {
  const service = await startStreams(
    CHAT,
    { say: event(1, 'queued') + event(2, 'running').slice(0, 30), end: 'break' },
    { say: event(1, 'queued') + event(2, 'running'), end: 'close' },
    { say: `: heartbeat\n\n${event(3, 'succeeded')}`, end: 'close' },
  );
  const watched = await commandLine(service.url)(['watch', 'job_1', '--json']);
  expect(watched.code).toBe(0);
  const seen = watched.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as JobEvent).seq);
  expect(seen).toEqual([1, 2, 3]);
  expect(service.asked).toEqual([undefined, '1', '2']);
});

test('when the end of the job is known already then 204 ends the watch', async () => {
  const service = await startStreams(CHAT, { say: '', end: 204 });
  expect(await commandLine(service.url)(['watch', 'job_1', '--after', '3'])).toMatchObject({ code: 0, stdout: 'hello\n' });
  expect(service.asked).toEqual(['3']);
});

test('when a job that runs again is awaited then the end of its last run is not taken for its end', async () => {
  const service = await startStreams(
    { ...CHAT, run: 2 },
    { say: event(1, 'failed') + event(2, 'queued', { run: 2 }) + event(3, 'succeeded', { run: 2 }), end: 'close' },
  );
  expect(await commandLine(service.url)(['watch', 'job_1'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/hello\n$/),
  });
});
