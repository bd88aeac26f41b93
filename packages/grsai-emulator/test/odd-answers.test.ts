import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { FAULTS } from '../src/index.ts';
import { ask, json, nameOf, start, TASK_MS, type Task } from './client.ts';

const image = (prompt: string, model = 'nano-banana-2'): object => ({ model, prompt, replyType: 'async' });
const talk = (content: string): object => ({ model: 'gemini-3.1-pro', messages: [{ role: 'user', content }] });
const GENERATE = '/v1/api/generate';
const CHAT = '/v1/chat/completions';

describe('F24 a refusal in words of upstream', () => {
  test.each(FAULTS.F24.as)(
    'when it is %s, then each dialect says it in its shape, once, and nothing is charged',
    async (name) => {
      const { emulator, post } = await start();
      const prompt = `x [[fault=F24:as=${name}]]`;
      const current = await post(GENERATE, image(prompt));
      const { error } = json<{ error: string }>(current);
      expect([current.status, json(current)]).toEqual([400, { id: '', status: 'failed', error }]);
      expect(error).toMatch(name.includes('zh') ? /\p{Script=Han}/u : /load is too high/);
      const chat = await post(CHAT, talk(prompt));
      expect([chat.status, json(chat)]).toEqual([400, { error: { message: error } }]);
      const draw = await post('/v1/draw/nano-banana', { model: 'nano-banana-2', prompt: `${prompt} y`, webHook: '-1' });
      expect([draw.status, json(draw)]).toEqual([200, { code: -1, msg: error, data: null }]);
      expect(emulator.ledger).toMatchObject({ creditsTaken: 0, tasks: [] });
      expect((await post(GENERATE, image(prompt))).status).toBe(200);
    },
  );

  test('when it has a status and words of its own, then they are sent', async () => {
    const { post, pollTask } = await start();
    const fault = { 'x-emulator-fault': 'F24:status=503,text=too%20hot' };
    const reply = await post(GENERATE, image('x'), fault);
    expect([reply.status, json(reply)]).toMatchObject([503, { error: 'too hot' }]);
    const poll = await pollTask('1-x', { 'x-emulator-fault': 'F24:at=poll,as=busy' });
    expect([poll.status, json(poll)]).toEqual([400, { error: 'load is too high, please try again later' }]);
  });

  test('when a text stands by its name, then tasks fail with it and models are refused with it', async () => {
    const { emulator, submit, pollTask, post } = await start();
    const ids = [await submit('x [[fault=F16:text=@policy-zh]]'), await submit('x [[outcome=failed]] [[error=@balance-zh]]')];
    await emulator.advance(TASK_MS);
    expect([json<Task>(await pollTask(ids[0] ?? '')).error, json<Task>(await pollTask(ids[1] ?? '')).error]).toEqual([
      '提示词包含违规内容，请修改后重试',
      '余额不足，请充值',
    ]);
    expect((await post(GENERATE, image('x [[fault=F20:as=refused,text=@model-zh-2]]'))).text).toContain('该模型已下架');
    expect((await post(GENERATE, image('x [[error=@nonsense]]'))).text).toContain('no text is named @nonsense');
  });
});

describe('the setting refusals', () => {
  test('refuses everything until it is taken out, then all is well', async () => {
    const { emulator, post, submit, pollTask } = await start();
    const id = await submit();
    emulator.configure({ refusals: [{ status: 400, text: '@busy-zh', on: ['submit', 'chat', 'poll', 'side', 'file'] }] });
    const replies = [
      await post(GENERATE, image('x')),
      await post(GENERATE, image('x')),
      await post(CHAT, talk('x')),
      await pollTask(id),
      await post('/client/openapi/getAPIKeyCredits', { apiKey: 'sk-1' }),
      await ask(`${emulator.url}/file/none.png`),
    ];
    for (const reply of replies) expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('负载')]);
    emulator.configure({ refusals: [] });
    expect([(await post(GENERATE, image('x'))).status, (await pollTask(id)).status]).toEqual([200, 200]);
  });

  test('refuses one model with a status, and no other, by the admin route too', async () => {
    const { emulator, post } = await start();
    const patch = { refusals: [{ status: 503, text: 'no capacity', model: 'gpt-image-2' }] };
    expect((await ask(`${emulator.url}/_emulator/settings`, { body: patch })).status).toBe(200);
    expect((await post(GENERATE, image('x', 'gpt-image-2'))).status).toBe(503);
    expect((await post(GENERATE, image('x'))).status).toBe(200);
  });

  test.each([
    [{ status: 99, text: 'x' }],
    [{ status: 400 }],
    [{ status: 400, text: '@none' }],
    [{ status: 400, text: 'x', on: ['stream'] }],
  ])('takes no %j', async (refusal) => {
    const { emulator } = await start();
    expect(() => emulator.configure({ refusals: [refusal] as never })).toThrow(/refusals|no text/);
  });
});

describe('an echo', () => {
  test.each([
    ['model', 'model not found: nope'],
    ['prompt', 'model not found: apikey error'],
    ['prompt-first', '"apikey error": model not found'],
    ['both', 'model not found: nope: apikey error'],
  ])('when it is %s, then a refusal repeats it', async (echo, error) => {
    const { post, emulator, submit, pollTask } = await start();
    expect(json(await post(GENERATE, image(`apikey error [[echo=${echo}]]`, 'nope')))).toMatchObject({ error });
    emulator.configure({ echo: echo as 'model' });
    expect(json(await post(GENERATE, image('apikey error', 'nope')))).toMatchObject({ error });
    const id = await submit('apikey error [[outcome=failed]] [[error=model not found]]', {}, { model: 'nano-banana-2' });
    await emulator.advance(TASK_MS);
    expect(json(await pollTask(id))).toMatchObject({ error: error.replace('nope', 'nano-banana-2') });
  });
});

describe('Retry-After of a 429', () => {
  test.each<[string, (now: number) => string]>([
    ['seconds', () => '30'],
    ['epoch', (now) => String(now / 1000 + 30)],
    ['epoch-ms', (now) => String(now + 30_000)],
    ['date', (now) => new Date(now + 30_000).toUTCString()],
  ])('when it is given as %s, by a fault and by the limits', async (unit, expected) => {
    const { emulator, post } = await start({ limits: { rpm: 1, concurrent: 0 }, retryAfterS: 30, retryAfterAs: unit as 'date' });
    const wanted = expected(emulator.now());
    const struck = await post(GENERATE, image(`x [[fault=F3:retry-after=30,unit=${unit}]]`));
    await post(GENERATE, image('y'));
    const limited = await post(GENERATE, image('z'));
    expect([struck, limited].map(({ status, headers }) => [status, headers['retry-after']])).toEqual([
      [429, wanted],
      [429, wanted],
    ]);
  });

  test('when the unit does not exist, then the fault is not taken', async () => {
    const { emulator } = await start();
    expect(() => emulator.script({ fault: 'F3:unit=weeks' })).toThrow(/unit is one of/);
  });
});

describe('F12 results', () => {
  const resultsFor = async (form: string): Promise<{ task: Task & { url?: string }; file: Buffer; url: string }> => {
    const { emulator, finished } = await start();
    const task = await finished(`x [[fault=F12:as=${form}]] [[outputs=2]]`);
    const url = `${emulator.url}/file/${emulator.ledger.tasks[0]?.files[0]}`;
    return { task, url, file: (await ask(url)).bytes };
  };

  test('when they are strings, then each is an address', async () => {
    const { task, url } = await resultsFor('strings');
    expect(task.results).toEqual([url, expect.stringContaining('/file/')]);
  });

  test('when they are data URLs or base64, then they hold the file itself', async () => {
    const data = await resultsFor('data-url');
    expect(data.task.results?.[0]?.url).toMatch(/^data:image\/(png|jpeg);base64,/);
    const [, base64 = ''] = data.task.results?.[0]?.url.split(',') ?? [];
    expect(Buffer.from(base64, 'base64').equals(data.file)).toBe(true);
    const bare = await resultsFor('b64_json');
    const [first] = (bare.task.results ?? []) as unknown as readonly { b64_json: string }[];
    expect(Buffer.from(first?.b64_json ?? '', 'base64').equals(bare.file)).toBe(true);
  });

  test('when they are one object, or the address stands beside them, then so', async () => {
    const one = await resultsFor('object');
    expect(one.task.results).toEqual({ url: one.url });
    const top = await resultsFor('top-url');
    expect([top.task.results, top.task.url]).toEqual([undefined, top.url]);
  });

  test('when several are asked for, then each can be downloaded', async () => {
    const { finished, get } = await start();
    const { results } = await finished('x [[outputs=3]]');
    const files = await Promise.all((results ?? []).map(({ url }) => get(`/file/${nameOf(url)}`)));
    expect(files.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test.each(['0', '11', '1.5'])('when %s are asked for, then the test is refused', async (outputs) => {
    const { post } = await start();
    expect((await post(GENERATE, image(`x [[outputs=${outputs}]]`))).text).toContain('emulator: ');
  });
});

describe('F25 odd fields', () => {
  test.each(['extra', 'types'])('when they are %s, then task and chat still say what they said', async (form) => {
    const { emulator, finished, post } = await start();
    const task = await finished(`x [[fault=F25:as=${form}]]`);
    expect(task).toMatchObject({
      id: expect.any(String),
      status: 'succeeded',
      results: [{ url: expect.stringContaining('/file/') }],
    });
    expect(task).toMatchObject(form === 'types' ? { progress: '100', error: null } : { meta: { error: 'insufficient credits' } });
    const call = post(CHAT, talk(`hello [[fault=F25:as=${form}]]`));
    await emulator.waitFor(() => emulator.ledger.submits.length === 2);
    await emulator.advance(TASK_MS);
    expect(json(await call)).toMatchObject({
      ...(form === 'types' ? { usage: 'n/a' } : { trace_id: '0a1b2c' }),
      choices: [{ message: { content: 'You said: hello', ...(form === 'types' ? { refusal: [] } : { nothing: null }) } }],
    });
    const failed = await finished(`x [[outcome=failed]] [[fault=F25:as=${form}]]`);
    expect(failed).toMatchObject({ status: 'failed', error: 'generate failed' });
  });
});

describe('F18 a dead file', () => {
  const file = async (form: string, more = ''): Promise<string> => {
    const { finished } = await start();
    return (await finished(`x ${more} [[fault=F18:as=${form}]]`)).results?.[0]?.url ?? '';
  };

  test('when it is gone, then 410', async () => {
    expect((await ask(await file('410'))).status).toBe(410);
  });

  test('when it is no media, then its type lies', async () => {
    const reply = await ask(await file('not-media'));
    expect([reply.status, reply.headers['content-type'], reply.text]).toEqual([
      200,
      expect.stringMatching(/^image\//),
      expect.stringContaining('{"error"'),
    ]);
  });

  test('when it is too large, then it is so long, with its length and without', async () => {
    const told = await ask(await file('large,bytes=1000000'));
    expect([told.headers['content-length'], told.bytes.length, told.end]).toEqual(['1000000', 1_000_000, 'whole']);
    const untold = await ask(await file('large,bytes=1000000', '[[length=no]]'));
    expect([untold.headers['content-length'], untold.bytes.length]).toEqual([undefined, 1_000_000]);
  });

  test.each([
    ['hang', 0],
    ['stall', 200],
  ])('when it is to %s, then the client has to leave', async (form, status) => {
    const url = await file(form);
    const seen = await new Promise<number>((resolve) => {
      const call = request(url, { agent: false }, (response) => {
        response.once('data', () => call.destroy());
        response.on('error', () => undefined);
        response.once('close', () => resolve(response.statusCode ?? 0));
      });
      call.on('error', () => resolve(0));
      call.end();
      // A host that hangs takes the request and says nothing: nothing can be waited for but a while.
      if (form === 'hang') setTimeout(() => call.destroy(), 100);
    });
    expect(seen).toBe(status);
  });
});
