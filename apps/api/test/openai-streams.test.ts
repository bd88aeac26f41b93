import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JobRecord } from '@grsai-jobs/jobs';
import { waitFor } from '@grsai-jobs/testkit';
import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { streamCompletion } from '../src/routes/openai/chat-stream.ts';
import type { StreamEvent } from '../src/use-cases/stream/follow-stream.ts';
import { startApi, type TestApi } from './api.ts';
import { chunk, workerOf } from './streamed-chat.ts';

const HELLO = [{ role: 'user', content: 'hi' }];

interface Answer {
  status: number;
  id: string;
  text: string;
  ended: boolean;
}

/** A streamed chat as an SDK sends it, read as it comes. */
function read(asked: Promise<Response>) {
  const answer: Answer = { status: 0, id: '', text: '', ended: false };
  void (async () => {
    try {
      const response = await asked;
      answer.id = response.headers.get('x-grsai-job-id') ?? '';
      answer.status = response.status;
      for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) answer.text += text;
    } catch {}
    answer.ended = true;
  })();
  return Object.assign(answer, {
    /** What was sent, each as an object; `[DONE]` as a text. */
    sent: (): unknown[] =>
      [...answer.text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) =>
        data === '[DONE]' ? data : (JSON.parse(data) as unknown),
      ),
    until: () => waitFor(() => answer.ended, { what: 'the end of the stream' }),
    shows: (text: string) => waitFor(() => answer.text.includes(text)),
  });
}

function complete(api: TestApi, more: object = {}, headers: Record<string, string> = {}) {
  const leave = new AbortController();
  onTestFinished(() => leave.abort());
  const asked = fetch(`${api.url}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.tenant.key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'gemini-3.1-pro', messages: HELLO, stream: true, ...more }),
    signal: leave.signal,
  });
  asked.catch(() => undefined);
  return Object.assign(read(asked), { leave: () => leave.abort() });
}

/** The worker of the only job. */
async function onlyWorker(api: TestApi) {
  const ids = async () => (await api.tenant.get<{ data: { id: string }[] }>('/v1/jobs')).data.map(({ id }) => id);
  await waitFor(async () => (await ids()).length === 1);
  return await workerOf(api, (await ids())[0] ?? '');
}

const error = (code: unknown) => ({
  error: expect.objectContaining({ code, type: expect.any(String), request_id: expect.any(String) }),
});

test('when a chat is streamed then odd pieces come as the clients want them, usage behind them where it was asked for, and [DONE]', async () => {
  const api = await startApi();
  const answer = complete(api, { stream_options: { include_usage: true } });
  const { attempt, id } = await onlyWorker(api);
  const call = await attempt();
  await call.write([
    {
      id: 7,
      object: '',
      created: '1700',
      model: '',
      choices: [{ delta: { content: [{ text: 'one ' }], tool_calls: {}, role: 'x' } }],
    },
    { choices: [], prompt_filter_results: [] },
    { ...chunk('two'), usage: null },
    { choices: [{ index: '0', message: { content: ' three' }, finish_reason: '' }] },
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: { prompt_tokens: '1', completion_tokens: 2, odd: [] } },
  ]);
  await call.succeed('one two three');
  await answer.until();
  const head = (own: object = {}) => ({
    ...{ id, object: 'chat.completion.chunk', created: expect.any(Number), model: 'gemini-3.1-pro' },
    ...own,
  });
  const choice = (delta: object, finish_reason: string | null = null) => [{ index: 0, delta, logprobs: null, finish_reason }];
  expect([answer.status, answer.id]).toEqual([200, id]);
  expect(answer.sent()).toEqual([
    { ...head({ created: 1700 }), choices: choice({ role: 'assistant', content: 'one ' }) },
    { ...head({ id: 'c' }), choices: choice({ content: 'two' }) },
    { ...head(), choices: choice({ content: ' three' }) },
    { ...head(), choices: choice({}, 'stop') },
    { ...head(), choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
    '[DONE]',
  ]);
});

test('when nothing of a stream came through then the answer comes as one piece with an end, and without usage nobody asked for', async () => {
  const api = await startApi();
  const answer = complete(api);
  const { attempt } = await onlyWorker(api);
  await (await attempt()).succeed('all of it', { whole: false });
  await answer.until();
  expect(answer.sent()).toMatchObject([
    { choices: [{ delta: { role: 'assistant', content: 'all of it' }, finish_reason: 'stop' }] },
    '[DONE]',
  ]);
});

test('when a job fails before anything was shown then the answer has its status, and afterwards it is an error in the stream', async () => {
  const api = await startApi();
  const early = complete(api);
  const first = await onlyWorker(api);
  const call = await first.attempt();
  await call.fail();
  await early.until();
  expect([early.status, JSON.parse(early.text)]).toEqual([400, expect.objectContaining(error('failed'))]);
  await api.tenant.send('DELETE', `/v1/jobs/${first.id}`);
  const late = complete(api, { seed: 1 });
  const second = await onlyWorker(api);
  const other = await second.attempt();
  await other.write([chunk('one ')]);
  await late.shows('one ');
  await other.fail();
  await late.until();
  expect([late.status, late.sent().at(-1)]).toEqual([200, error('failed')]);
});

test('when a second attempt begins after text was shown then the stream ends with an error, and who sends the request again gets that attempt', async () => {
  const api = await startApi();
  const answer = complete(api);
  const { attempt, id, redis } = await onlyWorker(api);
  const first = await attempt();
  await first.write([chunk('one ')]);
  await answer.shows('one ');
  await first.release();
  const second = await attempt();
  await second.write([chunk('other ')]);
  await answer.until();
  expect(answer.sent()).toEqual([expect.anything(), error('stream_reset')]);
  const [, leavesAt = 0] = (await redis.zrange('{gj}:answers-leaving', '0', '-1', 'WITHSCORES')).map(Number);
  expect(leavesAt - Date.now()).toBeGreaterThan(0);
  expect(leavesAt - Date.now()).toBeLessThan(15_000);
  const again = complete(api, {}, { 'x-stainless-retry-count': '1' });
  await again.shows('other ');
  await second.write([chunk('words', 'stop')]);
  await second.succeed('other words');
  await again.until();
  expect([again.id, again.sent().at(-1)]).toEqual([id, '[DONE]']);
});

test('when a caller leaves a stream of which it has seen some then only who says that it comes again gets that answer', async () => {
  const api = await startApi();
  const answer = complete(api);
  const { attempt, id, redis } = await onlyWorker(api);
  const call = await attempt();
  await call.write([chunk('one ')]);
  await answer.shows('one ');
  answer.leave();
  await waitFor(async () => (await redis.zcard('{gj}:answers-leaving')) === 1);
  const other = complete(api);
  const again = complete(api, {}, { 'x-stainless-retry-count': '1' });
  await call.write([chunk('two', 'stop')]);
  await call.succeed('one two');
  await again.until();
  expect([again.id, again.sent().at(-1)]).toEqual([id, '[DONE]']);
  const jobs = async () => (await api.tenant.get<{ data: { id: string }[] }>('/v1/jobs')).data;
  await waitFor(async () => (await jobs()).length === 2);
  expect(other.ended).toBe(false);
});

test('when the key of a stream is revoked then it ends with an error', async () => {
  const api = await startApi();
  const answer = complete(api);
  const { attempt } = await onlyWorker(api);
  await (await attempt()).write([chunk('one ')]);
  await answer.shows('one ');
  const { data } = await api.admin.get<{ data: { id: string; tenant: string }[] }>('/admin/v1/keys');
  await api.admin.send('DELETE', `/admin/v1/keys/${data.find(({ tenant }) => tenant === 'acme')?.id}`, { reason: 'r' });
  await answer.until();
  expect(answer.sent().at(-1)).toEqual(error('invalid_api_key'));
});

/** The stream of a job whose events the test tells, by a server of its own. */
async function startStream(opensAfterMs: number) {
  const job = {
    id: 'job_1',
    run: 1,
    ver: 3,
    created_at: 0,
    expires_at: 0,
    doc: { input: { model: 'm' } },
    status: 'failed',
  } as unknown as JobRecord;
  const events: StreamEvent[] = [];
  let wake = () => {};
  const app = express().get('/', async (_request, response) => {
    response.locals['principal'] = { tenant: 'acme', key_id: 'k' };
    const deps = {
      createJob: async () => ({ kind: 'accepted', record: job, replayed: false }),
      holdAnswer: async () => null,
      keyEnds: () => new AbortController().signal,
      lasts: () => undefined,
      checkJob: () => [],
      clock: { now: () => 0 },
      heartbeatMs: 5,
      opensAfterMs,
      async *followStream() {
        for (;;) {
          while (events.length > 0) yield events.shift() as StreamEvent;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
    };
    const wanted = { route: 'POST /', requests: [{}], body: {}, asSent: () => ({}), attach: false };
    await streamCompletion(deps as never, wanted as never, { includeUsage: false }, response);
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    job,
    answer: read(fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)),
    tell: (event: StreamEvent) => {
      events.push(event);
      wake();
    },
  };
}

test('when a job waits for long then its stream is opened and kept open, and what fails later is an error in it', async () => {
  const { answer, tell, job } = await startStream(1);
  await waitFor(() => answer.status === 200);
  await answer.shows(': still here');
  tell({ kind: 'end', id: 1, job: { ...job, error: null }, complete: true });
  await answer.until();
  expect(answer.sent()).toMatchObject([{ error: { code: 'failed', message: 'The job job_1 was failed.' } }]);
});

test('when the stored answer cannot be read then that is said, and nothing is made up', async () => {
  const { answer, tell, job } = await startStream(60_000);
  tell({ kind: 'end', id: 1, job: { ...job, status: 'succeeded' }, complete: false });
  await answer.until();
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([400, { error: { code: 'result_unavailable' } }]);
});
