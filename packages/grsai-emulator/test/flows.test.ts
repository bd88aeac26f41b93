import { describe, expect, test } from 'vitest';
import { ask, CHAT_MS, during, events, json, KEY, nameOf, start, TASK_MS, type Task } from './client.ts';

const HOUR = 3_600_000;
const chatBody = (content: unknown, more: object = {}): object => ({
  model: 'gemini-3.1-pro',
  messages: [{ role: 'user', content }],
  ...more,
});

describe('N1 asynchronous image task', () => {
  test('an async submit answers at once with an id and no progress', async () => {
    const { post } = await start();
    const reply = await post('/v1/api/generate', { model: 'nano-banana-2', prompt: 'x', replyType: 'async' });
    expect(reply.status).toBe(200);
    expect(json(reply)).toEqual({
      id: expect.stringMatching(/^\d+-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      status: 'running',
    });
  });

  test('progress rises while time passes, and the end brings one url', async () => {
    const { emulator, submit, pollTask } = await start();
    const id = await submit();
    const seen: unknown[] = [];
    for (const ms of [0, TASK_MS / 4, TASK_MS / 4, TASK_MS / 4, TASK_MS / 4]) {
      await emulator.advance(ms);
      const { status, progress } = json<Task>(await pollTask(id));
      seen.push([status, progress]);
    }
    expect(seen).toEqual([
      ['running', 0],
      ['running', 25],
      ['running', 50],
      ['running', 75],
      ['succeeded', 100],
    ]);
    expect(json<Task>(await pollTask(id)).results).toEqual([{ url: expect.stringMatching(/\/file\/[0-9a-f]{32}\.(png|jpg)$/) }]);
  });

  test.each([
    ['png', 'image/png', '89504e47', 'png'],
    ['jpeg', 'image/jpeg', 'ffd8ffe0', 'jpg'],
    ['jpeg-named-png', 'image/jpeg', 'ffd8ffe0', 'png'],
  ])('a result in format %s is %s', async (format, type, magic, extension) => {
    const { finished } = await start();
    const task = await finished(`x [[format=${format}]]`);
    const url = task.results?.[0]?.url ?? '';
    const file = await ask(url);
    expect(file.headers['content-type']).toBe(type);
    expect(file.bytes.toString('hex', 0, 4)).toBe(magic);
    expect(url.endsWith(`.${extension}`)).toBe(true);
    expect(file.bytes.length).toBe(Number(file.headers['content-length']));
  });

  test('a file of a size that the prompt asks for is that long, and the same on each download', async () => {
    const { emulator, finished } = await start();
    const url = (await finished('x [[bytes=8388608]]')).results?.[0]?.url ?? '';
    const [first, second] = [await ask(url), await ask(url)];
    expect(first.bytes.length).toBe(8_388_608);
    expect(first.bytes.equals(second.bytes)).toBe(true);
    expect(emulator.downloadsOf(nameOf(url))).toBe(2);
  });

  test('a file can come without content-length', async () => {
    const { finished } = await start();
    const file = await ask((await finished('x [[length=no]]')).results?.[0]?.url ?? '');
    expect(file.headers['content-length']).toBeUndefined();
    expect(file.end).toBe('whole');
  });
});

describe('N2 failures and violations', () => {
  test.each([
    ['failed', 400],
    ['failed', 200],
    ['violation', 400],
    ['violation', 200],
  ] as const)('a task that ends as %s is told with HTTP %i when the settings say so', async (outcome, failedStatus) => {
    const { emulator, submit, pollTask } = await start({ failedStatus });
    const id = await submit(`x [[outcome=${outcome}]] [[error=no luck]]`);
    await emulator.advance(TASK_MS);
    const reply = await pollTask(id);
    expect(reply.status).toBe(failedStatus);
    expect(json(reply)).toEqual({ id, status: outcome, progress: 100, error: 'no luck' });
  });
});

describe('N3, N4 synchronous and streamed tasks', () => {
  test('a json submit answers at the end, and its id cannot be read', async () => {
    const { emulator, post, pollTask } = await start();
    const reply = await during(emulator, post('/v1/api/generate', { model: 'nano-banana-2', prompt: 'x' }), TASK_MS);
    const task = json<Task>(reply);
    expect([reply.status, task.status, task.results?.length]).toEqual([200, 'succeeded', 1]);
    const later = await pollTask(task.id);
    expect([later.status, later.text]).toEqual([404, '{"error":"result not exist, valid for 2 hours"}']);
    emulator.configure({ synchronousIdsReadable: true });
    expect((await pollTask(task.id)).status).toBe(200);
  });

  test('a json submit that fails answers 400 with the task', async () => {
    const { emulator, post } = await start();
    const reply = await during(
      emulator,
      post('/v1/api/generate', { model: 'nano-banana-2', prompt: 'x [[outcome=failed]]', replyType: 'json' }),
      TASK_MS,
    );
    expect([reply.status, json<Task>(reply).error]).toEqual([400, 'generate failed']);
  });

  test.each([false, true])('a streamed task reports its progress and its end; with [DONE]: %s', async (taskStreamDone) => {
    const { emulator, post, pollTask } = await start({ taskStreamDone });
    const reply = await during(
      emulator,
      post('/v1/api/generate', { model: 'nano-banana-2', prompt: 'x', replyType: 'stream' }),
      TASK_MS,
    );
    const told = events(reply.text);
    if (taskStreamDone) expect(told.pop()).toBe('[DONE]');
    const tasks = told.map((event) => JSON.parse(event) as Task);
    expect(reply.headers['content-type']).toBe('text/event-stream');
    expect(tasks.map((task) => task.progress)).toEqual([0, 20, 40, 60, 80, 100]);
    expect(tasks.at(-1)).toMatchObject({ status: 'succeeded', results: [{}] });
    expect((await pollTask(tasks[0]?.id ?? '')).status).toBe(404);
  });
});

describe('N5, N6 legacy dialect', () => {
  test('webHook "-1" answers an envelope with the id, and the result query knows it', async () => {
    const { emulator, post } = await start();
    const ack = await post('/v1/draw/nano-banana', { model: 'nano-banana-2', prompt: 'x', webHook: '-1' });
    const { id } = json<{ data: { id: string } }>(ack).data;
    expect(json(ack)).toEqual({ code: 0, msg: 'success', data: { id } });
    expect(json(await post('/v1/draw/result', { id }))).toMatchObject({
      code: 0,
      data: { id, status: 'running', progress: 0, results: null },
    });
    await emulator.advance(TASK_MS);
    expect(json(await post('/v1/draw/result', { id }))).toMatchObject({
      code: 0,
      data: {
        id,
        status: 'succeeded',
        progress: 100,
        failure_reason: '',
        error: '',
        results: [{ url: expect.stringContaining('/file/'), content: '' }],
      },
    });
  });

  test.each([
    ['failed', 'error'],
    ['violation', 'output_moderation'],
  ])('a legacy task that ends as %s is failed for the reason %s, with HTTP 200', async (outcome, reason) => {
    const { emulator, post } = await start();
    const { id } = json<{ data: { id: string } }>(
      await post('/v1/draw/completions', {
        model: 'gpt-image-2',
        prompt: `x [[outcome=${outcome}]]`,
        size: '3:2',
        webHook: '-1',
      }),
    ).data;
    await emulator.advance(TASK_MS);
    const reply = await post('/v1/draw/result', { id });
    expect(reply.status).toBe(200);
    expect(json(reply)).toMatchObject({ code: 0, data: { status: 'failed', failure_reason: reason } });
  });

  test.each([
    ['an id that nobody has', '/v1/draw/result', { id: '1-none' }, { code: -22, msg: 'task not exist', data: null }],
    ['a body that is no JSON', '/v1/draw/nano-banana', '{', { code: -4, msg: 'unexpected end of JSON input', data: null }],
    [
      'a model of another endpoint',
      '/v1/draw/flux',
      { model: 'nano-banana-2', prompt: 'x' },
      { code: -1, msg: 'model not found', data: null },
    ],
  ])('%s is HTTP 200 with a code', async (_name, path, body, expected) => {
    const { post } = await start();
    const reply = await post(path, body);
    expect([reply.status, json(reply)]).toEqual([200, expected]);
  });

  test.each([
    [false, [0, 20, 40, 60, 80, 100]],
    [true, [100]],
  ])('without a webHook the task is streamed; with shutProgress %s it reports %j', async (shutProgress, expected) => {
    const { emulator, post } = await start();
    const call = post('/v1/draw/flux', { model: 'flux-kontext-pro', prompt: 'x', shutProgress });
    const reply = await during(emulator, call, TASK_MS);
    expect(reply.text.startsWith('data: {')).toBe(true);
    expect(events(reply.text).map((event) => (JSON.parse(event) as Task).progress)).toEqual(expected);
  });

  test('two variants are two files and are paid for twice', async () => {
    const { emulator, post } = await start();
    await post('/v1/draw/completions', { model: 'gpt-image-2', prompt: 'x', variants: 2, webHook: '-1' });
    expect(emulator.ledger.tasks[0]).toMatchObject({ charged: 1200, files: [expect.any(String), expect.any(String)] });
  });
});

describe('N8 chat', () => {
  test('a plain answer carries the quirks of the vendor', async () => {
    const { emulator, post } = await start();
    const reply = await during(emulator, post('/v1/chat/completions', chatBody('three ideas', { stream: false })), CHAT_MS);
    expect(reply.status).toBe(200);
    expect(json(reply)).toMatchObject({
      object: '',
      model: 'gemini-3.1-pro',
      choices: [
        {
          message: { role: 'assistant', content: 'You said: three ideas' },
          finish_reason: 'stop',
          content_filter_results: { hate: { filtered: false } },
        },
      ],
      usage: { prompt_tokens_details: null },
      system_fingerprint: '',
    });
  });

  test.each([true, false])('a streamed answer comes in pieces; with [DONE]: %s', async (chatStreamDone) => {
    const { emulator, post } = await start({ chatStreamDone });
    const reply = await during(
      emulator,
      post('/v1/chat/completions', chatBody('x [[reply=one two three]]', { stream: true })),
      CHAT_MS,
    );
    const told = events(reply.text);
    if (chatStreamDone) expect(told.pop()).toBe('[DONE]');
    type Chunk = {
      object: string;
      choices: [{ delta: { role?: string; content: string }; finish_reason: string | null }];
      usage?: object;
    };
    const chunks = told.map((event) => JSON.parse(event) as Chunk);
    expect(chunks.map((chunk) => chunk.choices[0].delta.content)).toEqual(['one ', 'two ', 'three']);
    expect(chunks.map((chunk) => chunk.choices[0].finish_reason)).toEqual([null, null, 'stop']);
    expect(chunks[0]).toMatchObject({ object: 'chat.completion.chunk', choices: [{ delta: { role: 'assistant' } }] });
    expect(chunks.at(-1)?.usage).toBeDefined();
  });

  test('content in parts is taken, and a reply has the length that was asked for', async () => {
    const { emulator, post } = await start();
    const parts = [
      { type: 'text', text: 'what is this? [[reply-bytes=20000]]' },
      { type: 'image_url', image_url: { url: 'https://assets.example.net/a.png' } },
    ];
    const reply = await during(emulator, post('/v1/chat/completions', chatBody(parts)), CHAT_MS);
    expect(json<{ choices: [{ message: { content: string } }] }>(reply).choices[0].message.content.length).toBe(20_000);
  });

  test.each([
    ['a model that does not exist', { model: 'nope', messages: [{ role: 'user', content: 'x' }] }, 'Model not support'],
    ['a model that was removed', { model: 'gpt-5.4', messages: [{ role: 'user', content: 'x' }] }, 'Model not support'],
    ['no messages', { model: 'gemini-3.1-pro' }, 'Invalid parameters'],
    ['a message without content', { model: 'gemini-3.1-pro', messages: [{ role: 'user' }] }, 'Invalid parameters'],
  ])('%s is a 400 that costs nothing', async (_name, body, message) => {
    const { emulator, post } = await start();
    const reply = await post('/v1/chat/completions', body);
    expect([reply.status, json(reply)]).toEqual([400, { error: { message } }]);
    expect(emulator.ledger.creditsTaken).toBe(0);
  });
});

describe('N9 images/generations', () => {
  test('the call is held until the picture is there', async () => {
    const { emulator, post } = await start();
    const reply = await during(
      emulator,
      post('/v1/images/generations', { model: 'gpt-image-2', prompt: 'x', size: '1:1' }),
      TASK_MS,
    );
    const body = json<{ data: [{ url: string }]; usage: object }>(reply);
    expect(body.usage).toMatchObject({ output_tokens: 1056 });
    expect((await ask(body.data[0].url)).headers['content-type']).toMatch(/^image\//);
  });

  test('a failure is a 400 with error.message, and is refunded', async () => {
    const { emulator, post } = await start();
    const reply = await during(
      emulator,
      post('/v1/images/generations', { model: 'gpt-image-2', prompt: 'x [[outcome=failed]]' }),
      TASK_MS,
    );
    expect([reply.status, json(reply)]).toEqual([400, { error: { message: 'generate failed' } }]);
    expect(emulator.ledger.creditsReturned).toBe(600);
  });
});

describe('N10 money and model status', () => {
  test.each([
    ['succeeded', 8800],
    ['failed', 10_000],
    ['violation', 8800],
  ])('credits go down at submit; a task that ends as %s leaves %i', async (outcome, left) => {
    const { emulator, submit, post } = await start({ credits: 10_000 });
    const credits = async (): Promise<unknown> =>
      json<{ data: unknown }>(await post('/client/openapi/getAPIKeyCredits', { apiKey: KEY })).data;
    await submit(`x [[outcome=${outcome}]]`);
    expect(await credits()).toEqual({ credits: 8800 });
    await emulator.advance(TASK_MS);
    expect(await credits()).toEqual({ credits: left });
    expect(emulator.ledger.creditsTaken - emulator.ledger.creditsReturned).toBe(10_000 - left);
  });

  test('a violation can be set to cost nothing', async () => {
    const { emulator, finished } = await start({ violationCharged: false });
    await finished('x [[outcome=violation]]');
    expect(emulator.ledger.creditsReturned).toBe(1200);
  });

  test('the other balance calls say the same', async () => {
    const { get, post } = await start({ credits: 48_200 });
    expect(json(await get(`/client/common/getCredits?apikey=${KEY}`))).toEqual({ code: 0, data: { credits: 48_200 } });
    expect(json(await post('/client/openapi/getCredits', { token: 't' }))).toMatchObject({ code: 0, data: { credits: 48_200 } });
    expect(json(await get('/client/common/getCredits?apikey=sk-bad'))).toMatchObject({ code: -1, msg: 'apikey error' });
  });

  test.each([
    ['nano-banana-2', true, ''],
    ['gpt-image-2', false, 'model maintenance'],
    ['nano-banana', false, 'model not found'],
    ['nope', false, 'model not found'],
  ])('the status of %s is %s', async (model, status, error) => {
    const { get } = await start({ models: { 'gpt-image-2': 'maintenance' } });
    expect(json(await get(`/client/common/getModelStatus?model=${model}`))).toEqual({ code: 0, data: { status, error } });
  });

  test('an upload ticket has the fields that clients read', async () => {
    const { post } = await start();
    expect(json(await post('/client/resource/newUploadTokenZH', { sux: 'png' }))).toMatchObject({
      data: {
        token: expect.any(String),
        key: expect.stringMatching(/\.png$/),
        url: expect.any(String),
        domain: expect.any(String),
      },
    });
  });
});

describe('N11 lifetimes', () => {
  test('two hours after the submit the id and the file are gone', async () => {
    const { emulator, finished, pollTask } = await start();
    const task = await finished();
    const url = task.results?.[0]?.url ?? '';
    await emulator.advance(2 * HOUR - TASK_MS - 1);
    expect([(await pollTask(task.id)).status, (await ask(url)).status]).toEqual([200, 200]);
    await emulator.advance(1);
    const reply = await pollTask(task.id);
    expect([reply.status, reply.text]).toEqual([404, '{"error":"result not exist, valid for 2 hours"}']);
    expect((await ask(url)).status).toBe(404);
  });

  test('a file cannot be read before its task has succeeded', async () => {
    const { emulator, submit } = await start();
    await submit();
    const name = emulator.ledger.tasks[0]?.files[0];
    expect((await ask(`${emulator.url}/file/${name}`)).status).toBe(404);
    await emulator.advance(TASK_MS);
    expect((await ask(`${emulator.url}/file/${name}`)).status).toBe(200);
  });
});

describe('the same seed', () => {
  test('gives the same ids, file names and bytes; another seed gives others', async () => {
    const run = async (seed: number): Promise<readonly unknown[]> => {
      const { finished } = await start({ seed });
      const task = await finished();
      const url = task.results?.[0]?.url ?? '';
      return [task.id, nameOf(url), (await ask(url)).bytes.toString('base64')];
    };
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    expect(again).toEqual(first);
    expect(other.every((part, i) => part !== first[i])).toBe(true);
  });
});
