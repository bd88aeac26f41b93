import { waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { chat, image, type Job, type Stack, startStack } from './stack.ts';

interface Told {
  id: number;
  type: string;
  data: { job_id: string; seq: number; type: string; status: string; run: number; progress: number };
}

/** Opens the stream of a job and keeps what it tells, until it ends or is left. */
async function follow(stack: Stack, id: string, headers: Record<string, string> = {}) {
  const leave = new AbortController();
  onTestFinished(() => leave.abort());
  const response = await fetch(`${stack.url}/v1/jobs/${id}/events`, {
    headers: { authorization: `Bearer ${stack.tenant.key}`, accept: 'text/event-stream', ...headers },
    signal: leave.signal,
  });
  const told: Told[] = [];
  const ended = (async () => {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
        if (fields['event'])
          told.push({ id: Number(fields['id']), type: fields['event'], data: JSON.parse(fields['data']) as Told['data'] });
      }
    }
  })();
  ended.catch(() => {});
  return { response, told, ended, leave: () => leave.abort(), types: () => told.map(({ type }) => type) };
}

const send = async (stack: Stack, body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;

test('when a job is watched then each event comes once, in order, and the stream ends with the job', async () => {
  const stack = await startStack({ workers: 0 });
  const id = await send(stack, chat(stack.receiver));
  const live = await follow(stack, id);
  expect(live.response.headers.get('content-type')).toContain('text/event-stream');
  await stack.startWorker();
  await live.ended;
  expect(live.types()).toEqual(['job.queued', 'job.started', 'job.succeeded']);
  expect(live.told.map((event) => event.id)).toEqual([1, 2, 3]);
  expect(live.told.at(-1)?.data).toMatchObject({
    job_id: id,
    seq: 3,
    type: 'job.succeeded',
    status: 'succeeded',
    run: 1,
    progress: 100,
  });

  const again = await follow(stack, id, { 'last-event-id': '1' });
  await again.ended;
  expect(again.types()).toEqual(['job.started', 'job.succeeded']);
  expect((await follow(stack, id, { 'last-event-id': '3' })).response.status).toBe(204);

  const head = await stack.tenant.send('HEAD', `/v1/jobs/${id}/events`, undefined, { accept: 'text/event-stream' });
  expect(head.headers.get('content-type')).toContain('application/json');

  const list = await stack.tenant.get<{ data: Told['data'][] }>(`/v1/jobs/${id}/events`);
  expect(list).toMatchObject({ object: 'list', next_cursor: null });
  expect(list.data.map(({ seq, type }) => [seq, type])).toEqual([
    [1, 'job.queued'],
    [2, 'job.started'],
    [3, 'job.succeeded'],
  ]);
});

test('when the API was away and the stream trimmed then a watcher that comes back gets the state by one event, and what follows', async () => {
  const stack = await startStack({ workers: 0 });
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  const id = await send(stack, chat(stack.receiver));
  const before = await follow(stack, id);
  await waitFor(() => before.told.length === 1);
  stack.api.kill('SIGTERM');
  // A stop ends the stream; the watcher comes back when the service does.
  await before.ended;
  await stack.api.exited;
  const worker = await stack.startWorker();
  await stack.receiver.waitFor(1);
  await worker.stop();
  await redis.xtrim('{gj}:events', 'MAXLEN', 0);
  await stack.startApi();
  const after = await follow(stack, id, { 'last-event-id': '1' });
  await after.ended;
  expect(after.told).toMatchObject([{ id: 3, type: 'job.succeeded', data: { status: 'succeeded' } }]);

  const canceled = await send(stack, chat(stack.receiver));
  const next = await follow(stack, canceled);
  await stack.tenant.post(`/v1/jobs/${canceled}/cancel`, {});
  await next.ended;
  expect(next.types()).toEqual(['job.queued', 'job.canceled']);
});

test('when a thousand watch then Redis sees one reader, and each of them gets the end', async () => {
  const stack = await startStack({ workers: 0 });
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  const connections = async () =>
    String(await redis.client('LIST'))
      .trim()
      .split('\n').length;
  const ids = await Promise.all(Array.from({ length: 10 }, () => send(stack, chat(stack.receiver))));
  const before = await connections();
  const watchers = await Promise.all(Array.from({ length: 1000 }, (_, i) => follow(stack, ids[i % 10] ?? '')));
  expect(watchers.every(({ response }) => response.status === 200)).toBe(true);
  expect(await connections()).toBe(before);
  await Promise.all(ids.map((id) => stack.tenant.post(`/v1/jobs/${id}/cancel`, {})));
  await Promise.all(watchers.map(({ ended }) => ended));
  expect(watchers.every(({ types }) => types().join() === 'job.queued,job.canceled')).toBe(true);
});

test('when a caller prefers to wait then a quick job is answered whole, and a slow one as it is when the time is over', async () => {
  const stack = await startStack();
  const post = async (wait: string, body: object, more: Record<string, string> = {}) => {
    const response = await stack.tenant.send('POST', '/v1/jobs', body, { prefer: wait, ...more });
    return { response, body: (await response.json()) as Job };
  };
  const quick = await post('wait=30', chat(stack.receiver), { 'idempotency-key': 'k' });
  expect(quick).toMatchObject({ response: { status: 200 }, body: { status: 'succeeded', progress: 100 } });
  expect(quick.response.headers.get('preference-applied')).toBe('wait=30');
  expect(quick.response.headers.get('location')).toBe(`/v1/jobs/${quick.body.id}`);
  const replay = await post('wait=30', chat(stack.receiver), { 'idempotency-key': 'k' });
  expect(replay).toMatchObject({ response: { status: 200 }, body: { id: quick.body.id } });
  const slow = await post('wait=1', image(stack.receiver));
  expect(slow).toMatchObject({ response: { status: 202 }, body: { status: 'running' } });
  expect(slow.response.headers.get('retry-after')).toBe('2');
  // A preference that cannot be met is none (RFC 7240).
  const none = await post('wait=0', image(stack.receiver));
  expect(none).toMatchObject({ response: { status: 202 }, body: { status: 'queued' } });
  expect(none.response.headers.has('preference-applied')).toBe(false);
});
