import { describe, expect, test } from 'vitest';
import { FAULTS } from '../src/index.ts';
import { ask, CHAT_MS, during, events, json, KEY, type Reply, start, TASK_MS, type Task } from './client.ts';

const image = (prompt: string, more: object = {}): object => ({ model: 'nano-banana-2', prompt, replyType: 'async', ...more });
const talk = (content: string, more: object = {}): object => ({
  model: 'gemini-3.1-pro',
  messages: [{ role: 'user', content }],
  ...more,
});
const GENERATE = '/v1/api/generate';
const CHAT = '/v1/chat/completions';
const DRAW = '/v1/draw/nano-banana';

describe('F1 bad key', () => {
  test.each<[string, string, object, number, unknown]>([
    ['async', GENERATE, image('x'), 200, ''],
    ['json', GENERATE, image('x', { replyType: 'json' }), 400, { id: '', status: 'failed', error: 'apikey error' }],
    ['stream', GENERATE, image('x', { replyType: 'stream' }), 400, { id: '', status: 'failed', error: 'apikey error' }],
    ['chat', CHAT, talk('x'), 400, { error: { message: 'apikey error' } }],
    [
      'images/generations',
      '/v1/images/generations',
      { model: 'gpt-image-2', prompt: 'x' },
      400,
      { error: { message: 'apikey error' } },
    ],
    ['legacy', DRAW, { model: 'nano-banana-2', prompt: 'x', webHook: '-1' }, 200, { code: -1, msg: 'apikey error', data: null }],
  ])('%s answers as that endpoint does, by a bad key and by the fault', async (_name, path, body, status, expected) => {
    const { emulator, post } = await start();
    for (const headers of [{ authorization: 'Bearer sk-bad' }, { 'x-emulator-fault': 'F1' }]) {
      const reply = await post(path, body, headers);
      expect([reply.status, reply.text === '' ? '' : json(reply)]).toEqual([status, expected]);
    }
    expect(emulator.ledger.submits.map((submit) => submit.outcome)).toEqual(['bad_key', 'bad_key']);
    expect(emulator.ledger.tasks).toEqual([]);
  });

  test('the key is judged before the model, so that a model that does not exist makes a key probe', async () => {
    const { post } = await start({ keys: [KEY] });
    const probe = { model: 'no-such-model', messages: [{ role: 'user', content: 'x' }] };
    expect(json(await post(CHAT, probe))).toEqual({ error: { message: 'Model not support' } });
    expect(json(await post(CHAT, probe, { authorization: 'Bearer sk-other' }))).toEqual({ error: { message: 'apikey error' } });
  });

  test('the result query looks at no key', async () => {
    const { submit, pollTask } = await start();
    expect((await pollTask(await submit(), { authorization: '' })).status).toBe(200);
  });
});

test.each<[string, string, object, number, unknown]>([
  ['current', GENERATE, image('x'), 400, { id: '', status: 'failed', error: 'insufficient credits' }],
  [
    'legacy',
    DRAW,
    { model: 'nano-banana-2', prompt: 'x', webHook: '-1' },
    200,
    { code: -1, msg: 'apikey credits not enough', data: null },
  ],
  ['chat', CHAT, talk('x'), 400, { error: { message: 'insufficient credits' } }],
])('F2 exhausted credits, %s: by the balance and by the fault', async (_name, path, body, status, expected) => {
  const { emulator, post } = await start();
  const struck = await post(path, body, { 'x-emulator-fault': 'F2' });
  emulator.setCredits(5);
  const poor = await post(path, body);
  expect([struck, poor].map((reply) => [reply.status, json(reply)])).toEqual([
    [status, expected],
    [status, expected],
  ]);
  expect(emulator.ledger.submits.map((submit) => submit.outcome)).toEqual(['no_credits', 'no_credits']);
});

describe('F3, F4, F5: the front proxy answers', () => {
  test.each<[string, number, string, string | undefined, RegExp]>([
    ['F3', 429, 'application/json; charset=utf-8', undefined, /Too many/],
    ['F3:as=empty', 429, 'text/plain', undefined, /^$/],
    ['F3:retry-after=7', 429, 'application/json; charset=utf-8', '7', /Too many/],
    ['F4', 502, 'text/html', undefined, /<h1>502 Bad Gateway/],
    ['F4:status=500', 500, 'text/html', undefined, /<h1>500/],
    ['F4:status=503,as=text', 503, 'text/plain; charset=utf-8', undefined, /^503 Service/],
    ['F4:status=504', 504, 'text/html', undefined, /<h1>504/],
    ['F5', 413, 'text/html', undefined, /<h1>413/],
  ])('%s', async (fault, status, type, retryAfter, body) => {
    const { emulator, post } = await start();
    for (const [path, order] of [
      [GENERATE, image('x')],
      [CHAT, talk('x')],
    ] as const) {
      const reply = await post(path, order, { 'x-emulator-fault': fault });
      expect([reply.status, reply.headers['content-type'], reply.headers['retry-after']]).toEqual([status, type, retryAfter]);
      expect(reply.text).toMatch(body);
    }
    expect(emulator.ledger.submits.map((submit) => submit.outcome)).toEqual(['fault', 'fault']);
    expect(emulator.ledger.creditsTaken).toBe(0);
  });

  test('F4 with task=yes answers the page though the task exists and is paid for', async () => {
    const { emulator, post } = await start();
    expect((await post(GENERATE, image('x'), { 'x-emulator-fault': 'F4:task=yes,status=504' })).status).toBe(504);
    expect(emulator.ledger.tasks).toMatchObject([{ charged: 1200, status: 'running' }]);
  });

  test.each(['poll', 'file', 'side'] as const)('they strike %s requests as well', async (on) => {
    const { emulator, finished, pollTask, get } = await start();
    const task = await finished();
    emulator.script({ fault: 'F4:status=503', on });
    const url = task.results?.[0]?.url ?? '';
    const calls: Readonly<Record<typeof on, () => Promise<Reply>>> = {
      poll: () => pollTask(task.id),
      file: () => ask(url),
      side: () => get(`/client/common/getCredits?apikey=${KEY}`),
    };
    expect((await calls[on]()).status).toBe(503);
    expect((await calls[on]()).status).toBe(200);
  });
});

describe('F6 accepted, then cut', () => {
  test.each([
    ['F6', 'ECONNRESET'],
    ['F6:as=close', 'ECONNRESET'],
  ])('%s: the task exists and is paid for, the client has nothing', async (fault, code) => {
    const { emulator, post } = await start();
    const reply = await post(GENERATE, image(`x [[fault=${fault}]]`));
    expect(reply).toMatchObject({ status: 0, end: 'none', code });
    expect(emulator.ledger.tasks).toMatchObject([{ status: 'running', charged: 1200 }]);
    expect(emulator.ledger.submits).toMatchObject([{ outcome: 'accepted', answered: false }]);
  });

  test('the same prompt passes the second time, and the ledger shows that it was paid for twice', async () => {
    const { emulator, post } = await start();
    await post(GENERATE, image('x [[fault=F6]]'));
    expect((await post(GENERATE, image('x [[fault=F6]]'))).status).toBe(200);
    expect(emulator.ledger.doublyPaid()).toEqual(['x [[fault=F6]]']);
  });

  test('with task=no nothing exists', async () => {
    const { emulator, post } = await start();
    expect((await post(GENERATE, image('x [[fault=F6:task=no]]'))).end).toBe('none');
    expect(emulator.ledger.tasks).toEqual([]);
  });

  test('a chat call is cut and paid for as well', async () => {
    const { emulator, post } = await start();
    expect((await post(CHAT, talk('x [[fault=F6]]'))).end).toBe('none');
    expect(emulator.ledger.creditsTaken).toBe(10);
  });
});

describe('F7 the whole answer, strangely sent', () => {
  test('open: all of the answer is there, and the connection stays', async () => {
    const { emulator, post } = await start();
    let over = false;
    const call = post(GENERATE, image('x [[fault=F7]]')).finally(() => {
      over = true;
    });
    await emulator.waitFor(() => emulator.ledger.submits[0]?.answered);
    expect(over).toBe(false);
    await emulator.advance(120_000);
    expect(json<Task>(await call).status).toBe('running');
  });

  test('sse: the acknowledgement is an event', async () => {
    const { emulator, post } = await start();
    const reply = await post(GENERATE, image('x [[fault=F7:as=sse]]'));
    expect(reply.headers['content-type']).toBe('text/event-stream');
    expect(JSON.parse(events(reply.text)[0] ?? '')).toMatchObject({ id: emulator.ledger.tasks[0]?.id });
  });

  test('chunks: one byte at a time, also inside a character', async () => {
    const { post } = await start();
    const reply = await post(GENERATE, image('x [[fault=F7:as=chunks]]'));
    expect(reply.pieces.length).toBe(reply.bytes.length);
    expect(reply.pieces.some((piece) => piece.toString('utf8') === '\uFFFD')).toBe(true);
    expect(json<Task>(reply).status).toBe('running');
  });

  test('polls and chat answers can come so too', async () => {
    const { emulator, post, submit, pollTask } = await start();
    expect((await pollTask(await submit('x [[fault=F7:as=sse,at=poll]]'))).headers['content-type']).toBe('text/event-stream');
    const chat = await during(emulator, post(CHAT, talk('x [[fault=F7:as=chunks]]')), CHAT_MS);
    expect(chat.pieces.length).toBe(chat.bytes.length);
  });
});

test('F8 a task is not known for the first time, in either dialect', async () => {
  const { emulator, submit, pollTask, post } = await start();
  const id = await submit('x [[fault=F8:ms=4000]]');
  const legacy = json<{ data: Task }>(
    await post(DRAW, { model: 'nano-banana-2', prompt: 'x [[fault=F8:ms=4000]]', webHook: '-1' }),
  ).data.id;
  expect((await pollTask(id)).text).toBe('{"error":"result not exist, valid for 2 hours"}');
  expect(json(await post('/v1/draw/result', { id: legacy }))).toMatchObject({ code: -22 });
  await emulator.advance(4000);
  expect((await pollTask(id)).status).toBe(200);
  expect(json(await post('/v1/draw/result', { id: legacy }))).toMatchObject({ code: 0 });
});

describe('F9 junk instead of a result, once', () => {
  test.each<[string, Partial<Reply>, RegExp]>([
    ['F9', { status: 200, end: 'whole' }, /^$/],
    ['F9:as=html', { status: 200, end: 'whole' }, /^<html>/],
    ['F9:as=truncated', { status: 200, end: 'whole' }, /^\{"id":[^}]*$/],
    ['F9:as=reset', { status: 0, end: 'none', code: 'ECONNRESET' }, /^$/],
  ])('%s', async (fault, expected, text) => {
    const { submit, pollTask } = await start();
    const id = await submit(`x [[fault=${fault}]]`);
    const reply = await pollTask(id);
    expect(reply).toMatchObject(expected);
    expect(reply.text).toMatch(text);
    expect(json<Task>(await pollTask(id)).status).toBe('running');
  });

  test('timeout: nothing comes until the client leaves', async () => {
    const { emulator, submit } = await start();
    const id = await submit();
    const leave = new AbortController();
    const call = ask(`${emulator.url}/v1/api/result?id=${id}`, {
      headers: { 'x-emulator-fault': 'F9:as=timeout' },
      signal: leave.signal,
    });
    await emulator.waitFor(() => emulator.requests.filter((entry) => entry.kind === 'result').length === 1);
    await emulator.advance(300_000);
    leave.abort();
    expect(await call).toMatchObject({ status: 0, end: 'none' });
  });
});

describe('F9 junk instead of the answer to a paid call', () => {
  test.each<[string, RegExp]>([
    ['empty', /^$/],
    ['html', /^<html>/],
    ['truncated', /^\{"id":[^}]*$/],
    ['no-id', /^\{"status":"running"\}$/],
    ['reset', /^$/],
  ])('%s: the task exists, unless task=no', async (as, text) => {
    const { emulator, post } = await start();
    const reply = await post(GENERATE, image(`x [[fault=F9:at=submit,as=${as}]]`));
    expect(reply.text).toMatch(text);
    expect(emulator.ledger.tasks).toMatchObject([{ charged: 1200 }]);
    expect((await post(GENERATE, image(`y [[fault=F9:at=submit,as=${as},task=no]]`))).text).toMatch(text);
    expect(emulator.ledger.tasks).toHaveLength(1);
  });

  test('a chat call can get it too', async () => {
    const { post } = await start();
    expect((await post(CHAT, talk('x [[fault=F9:at=chat,as=html]]'))).text).toMatch(/^<html>/);
  });
});

describe('F10–F13 what a task looks like', () => {
  test.each<[string, number, object]>([
    ['F10', 20 * TASK_MS, { status: 'running', progress: 99 }],
    ['F10:as=frozen', TASK_MS * 0.9, { status: 'running', progress: 37 }],
    ['F10:as=frozen', TASK_MS, { status: 'succeeded', progress: 100 }],
    ['F10:as=missing', TASK_MS / 2, { status: 'running' }],
    ['F10:as=falling', TASK_MS * 0.75, { status: 'running', progress: 24 }],
    ['F11', TASK_MS / 2, { status: 'running', progress: 50, error: 'upstream busy, retrying' }],
    ['F13', TASK_MS / 2, { status: 'reviewing', progress: 50 }],
    ['F13:word=done,when=end,times=1', TASK_MS, { status: 'done' }],
  ])('%s after %i ms', async (fault, ms, expected) => {
    const { emulator, submit, pollTask } = await start();
    const id = await submit(`x [[fault=${fault}]]`);
    await emulator.advance(ms);
    const task = json<Task>(await pollTask(id));
    expect(task).toMatchObject(expected);
    expect('progress' in task).toBe('progress' in expected || task.progress === 100);
  });

  test('F11 the error goes with the running state, whatever the end', async () => {
    const { finished } = await start();
    expect(await finished('x [[fault=F11]]')).not.toHaveProperty('error');
    expect(await finished('x [[fault=F11]] [[outcome=failed]]')).toMatchObject({ status: 'failed', error: 'generate failed' });
  });

  test.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
    ['empty', []],
    ['url-null', [{ url: null }]],
    ['spaces', [{ url: expect.stringMatching(/^ +http\S+ $/) }]],
    ['backticks', [{ url: expect.stringMatching(/^`http\S+`$/) }]],
  ])('F12 succeeded with results %s', async (as, expected) => {
    const { finished } = await start();
    const task = await finished(`x [[fault=F12:as=${as}]]`);
    expect([task.status, task.results]).toEqual(['succeeded', expected]);
  });

  test('F12 with times=2 is whole at the third poll', async () => {
    const { finished, pollTask } = await start();
    const { id } = await finished('x [[fault=F12:as=null,times=2]]');
    expect(json<Task>(await pollTask(id)).results).toBeNull();
    expect(json<Task>(await pollTask(id)).results).toHaveLength(1);
  });
});

test('F14 the envelope is added on the current API and dropped from the legacy one', async () => {
  const { post, pollTask } = await start();
  const current = json<{ code: number; data: Task }>(await post(GENERATE, image('x [[fault=F14]]')));
  expect(current).toMatchObject({ code: 0, msg: 'success', data: { status: 'running' } });
  expect(json(await pollTask(current.data.id))).toMatchObject({ code: 0, data: { id: current.data.id, progress: 0 } });
  const legacy = json<Task>(await post(DRAW, { model: 'nano-banana-2', prompt: 'x [[fault=F14]]', webHook: '-1' }));
  expect(Object.keys(legacy)).toEqual(['id']);
  expect(json(await post('/v1/draw/result', { id: legacy.id }))).toMatchObject({ id: legacy.id, status: 'running' });
});

describe('F15 a task stream', () => {
  test.each<[string, Reply['end'], RegExp]>([
    ['before', 'cut', /^$/],
    ['middle', 'cut', /"progress":0\}\n\ndata: \{[^\n]*$/],
    ['progress', 'cut', /"progress":80\}\n\n$/],
    ['no-blank', 'whole', /"status":"succeeded"[^\n]*\}$/],
  ])('cut %s', async (as, end, text) => {
    const { emulator, post } = await start();
    const reply = await during(emulator, post(GENERATE, image(`x [[fault=F15:as=${as}]]`, { replyType: 'stream' })), TASK_MS);
    expect(reply).toMatchObject({ status: 200, end });
    expect(reply.text).toMatch(text);
    expect(emulator.ledger.tasks).toMatchObject([{ charged: 1200 }]);
  });
});

describe('F16, F17 how a task ends', () => {
  test('F16 fails with a transient text, is refunded, and the next submit of the prompt succeeds', async () => {
    const { emulator, finished } = await start();
    const task = await finished('x [[fault=F16]]');
    expect(task).toMatchObject({ status: 'failed', error: 'Upstream rate limit exceeded. Please retry later.' });
    expect(emulator.ledger.tasks).toMatchObject([{ charged: 1200, refunded: 1200 }]);
    expect((await finished('x [[fault=F16]]')).status).toBe('succeeded');
  });

  test('F16 with times=all fails for good, with the text that was asked for', async () => {
    const { finished } = await start();
    for (let i = 0; i < 3; i++)
      expect(await finished('x [[fault=F16:text=generate%20failed,times=all]]')).toMatchObject({
        status: 'failed',
        error: 'generate failed',
      });
  });

  test.each([
    ['input', 500, 'input_moderation'],
    ['output', TASK_MS, 'output_moderation'],
  ])('F17 violation at %s is found after %i ms and stays paid', async (as, ms, reason) => {
    const { emulator, submit, pollTask, post } = await start();
    const id = await submit(`x [[fault=F17:as=${as}]]`);
    const legacy = json<{ data: Task }>(
      await post(DRAW, { model: 'nano-banana-2', prompt: `y [[fault=F17:as=${as}]]`, webHook: '-1' }),
    ).data.id;
    await emulator.advance(ms - 1);
    expect(json<Task>(await pollTask(id)).status).toBe('running');
    await emulator.advance(1);
    expect(json<Task>(await pollTask(id)).status).toBe('violation');
    expect(json(await post('/v1/draw/result', { id: legacy }))).toMatchObject({
      data: { status: 'failed', failure_reason: reason },
    });
    expect(emulator.ledger.creditsReturned).toBe(0);
  });
});

describe('F18 a result file', () => {
  test.each<[string, object, (reply: Reply) => boolean]>([
    ['404', { status: 404 }, () => true],
    ['403', { status: 403 }, () => true],
    ['500', { status: 500 }, () => true],
    ['503', { status: 503 }, () => true],
    [
      'truncated',
      { status: 200, end: 'cut' },
      ({ bytes, headers }) => bytes.length > 0 && bytes.length < Number(headers['content-length']),
    ],
    ['type', { status: 200, end: 'whole' }, ({ headers }) => headers['content-type'] === 'text/plain; charset=utf-8'],
    ['html', { status: 200, end: 'whole' }, ({ text }) => text.startsWith('<html>')],
    ['empty', { status: 200, end: 'whole' }, ({ bytes }) => bytes.length === 0],
  ])('%s, once', async (as, expected, holds) => {
    const { finished } = await start();
    const url = (await finished(`x [[fault=F18:as=${as}]]`)).results?.[0]?.url ?? '';
    const reply = await ask(url);
    expect(reply).toMatchObject(expected);
    expect(holds(reply)).toBe(true);
    expect(await ask(url)).toMatchObject({ status: 200, end: 'whole' });
  });

  test('a file without content-length can be cut too', async () => {
    const { finished } = await start();
    const url = (await finished('x [[length=no]] [[fault=F18:as=truncated]]')).results?.[0]?.url ?? '';
    expect(await ask(url)).toMatchObject({ status: 200, end: 'cut' });
  });

  test('slow: it comes in eight pieces over eight pauses', async () => {
    const { emulator, finished } = await start();
    const url = (await finished('x [[fault=F18:as=slow]]')).results?.[0]?.url ?? '';
    let over = false;
    const call = ask(url).finally(() => {
      over = true;
    });
    await emulator.waitFor(() => emulator.requests.some((entry) => entry.kind === 'file'));
    const before = emulator.now();
    while (!over) await emulator.advance(100);
    expect((await call).end).toBe('whole');
    expect(emulator.now() - before).toBeGreaterThanOrEqual(8000);
  });
});

describe('F20 a model', () => {
  test.each<[string, string, object, string, string]>([
    ['maintenance', GENERATE, image('x'), 'model maintenance', 'current'],
    ['removed', GENERATE, image('x'), 'model not found', 'current'],
    ['maintenance', CHAT, talk('x'), 'model maintenance', 'chat'],
    ['removed', CHAT, talk('x'), 'Model not support', 'chat'],
  ])('under %s is refused on %s', async (state, path, body, text) => {
    const { emulator, post } = await start();
    expect((await post(path, body, { 'x-emulator-fault': `F20:as=${state}` })).text).toContain(`"${text}"`);
    emulator.configure({ models: { 'nano-banana-2': state as 'maintenance', 'gemini-3.1-pro': state as 'maintenance' } });
    expect((await post(path, body)).text).toContain(`"${text}"`);
  });
});

test('F20 a refusal can have any text, in the shape of the dialect or in an envelope', async () => {
  const { post } = await start();
  const fault = 'F20:as=refused,text=generate%20failed';
  const bare = await post(GENERATE, image('x'), { 'x-emulator-fault': fault });
  expect([bare.status, json(bare)]).toEqual([400, { id: '', status: 'failed', error: 'generate failed' }]);
  const wrapped = await post(GENERATE, image('x'), { 'x-emulator-fault': `${fault};F14` });
  expect([wrapped.status, json(wrapped)]).toEqual([200, { code: -1, msg: 'generate failed', data: null }]);
});

describe('F21 chat', () => {
  const content = (reply: Reply): string =>
    json<{ choices: [{ message: { content: string } }] }>(reply).choices[0].message.content;

  test('empty content with 200, then fine', async () => {
    const { emulator, post } = await start();
    expect(content(await during(emulator, post(CHAT, talk('x [[fault=F21]]')), CHAT_MS))).toBe('');
    expect(content(await during(emulator, post(CHAT, talk('x [[fault=F21]]')), CHAT_MS))).toBe('You said: x');
  });

  test.each([
    ['rix', { error: { message: 'API error response', type: 'rix_api_error' } }],
    ['failed', { error: { message: 'generation failed' } }],
  ])('400 by %s once, given back, then fine', async (as, body) => {
    const { emulator, post } = await start();
    const reply = await during(emulator, post(CHAT, talk(`x [[fault=F21:as=${as}]]`)), CHAT_MS);
    expect([reply.status, json(reply)]).toEqual([400, body]);
    expect(emulator.ledger.submits).toMatchObject([{ charged: 10, refunded: 10 }]);
    expect((await during(emulator, post(CHAT, talk(`x [[fault=F21:as=${as}]]`)), CHAT_MS)).status).toBe(200);
  });

  test.each([false, true])('missing charset; streamed: %s', async (stream) => {
    const { emulator, post } = await start();
    const reply = await during(emulator, post(CHAT, talk('x [[fault=F21:as=charset]]', { stream })), CHAT_MS);
    expect(reply.headers['content-type']).toBe(stream ? 'text/event-stream' : 'application/json');
  });

  test('a stream without [DONE]', async () => {
    const { emulator, post } = await start();
    const reply = await during(emulator, post(CHAT, talk('x [[fault=F21:as=no-done]]', { stream: true })), CHAT_MS);
    expect([reply.end, reply.text.includes('[DONE]')]).toEqual(['whole', false]);
    expect(reply.text).toContain('"finish_reason":"stop"');
  });

  test.each([false, true])('cut in the middle; streamed: %s', async (stream) => {
    const { emulator, post } = await start();
    const reply = await during(emulator, post(CHAT, talk('one two three four [[fault=F21:as=cut]]', { stream })), CHAT_MS);
    expect(reply).toMatchObject({ status: 200, end: 'cut' });
    expect(reply.text).toContain('You ');
    expect(reply.text).not.toContain('"stop"');
  });
});

describe('F22 slow first byte', () => {
  test('the task is made and paid for at once, the answer comes after two minutes', async () => {
    const { emulator, post } = await start();
    let over = false;
    const call = post(GENERATE, image('x [[fault=F22]]')).finally(() => {
      over = true;
    });
    await emulator.waitFor(() => emulator.ledger.tasks.length === 1);
    await emulator.advance(119_999);
    expect([over, emulator.ledger.creditsTaken]).toEqual([false, 1200]);
    await emulator.advance(1);
    expect((await call).status).toBe(200);
  });

  test('a client that leaves has paid', async () => {
    const { emulator } = await start();
    const leave = new AbortController();
    const call = ask(emulator.url + GENERATE, { body: image('x [[fault=F22]]'), signal: leave.signal });
    await emulator.waitFor(() => emulator.ledger.tasks.length === 1);
    leave.abort();
    expect((await call).end).toBe('none');
    expect(emulator.ledger.submits).toMatchObject([{ outcome: 'accepted', answered: false, charged: 1200 }]);
  });

  test.each(['poll', 'file'] as const)('it strikes a %s as well', async (on) => {
    const { emulator, finished, pollTask } = await start();
    const task = await finished();
    emulator.script({ fault: 'F22', on });
    const call = on === 'poll' ? pollTask(task.id) : ask(task.results?.[0]?.url ?? '');
    await emulator.waitFor(() => emulator.requests.filter((entry) => entry.status === 0).length === 1);
    await emulator.advance(119_999);
    expect(emulator.requests.at(-1)?.status).toBe(0);
    await emulator.advance(1);
    expect((await call).status).toBe(200);
  });
});

test('every fault of the table is tried here or with the webhooks', async () => {
  const { readFileSync } = await import('node:fs');
  const tried = ['faults', 'webhooks', 'codings', 'odd-answers']
    .map((name) => readFileSync(new URL(`./${name}.test.ts`, import.meta.url), 'utf8'))
    .join('');
  expect(Object.keys(FAULTS).filter((id) => !new RegExp(`fault=${id}[:\\]]|['\`]${id}[:'\`]`).test(tried))).toEqual([]);
});
