import { describe, expect, test } from 'vitest';
import { answering, client, drain, errorOf, serve, TASK } from './support.ts';

const ID = '4-2c7d1e90';
const URL_1 = 'https://file3.example.net/file/90c1d2e3.png';
const DONE = { id: ID, status: 'succeeded', progress: 100, results: [{ url: URL_1 }] };
const RUNNING = { id: ID, status: 'running', progress: 36 };
const events = (...values: object[]): string => values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join('');
const SSE = { 'content-type': 'text/event-stream' };

describe('generate', () => {
  test('asks for json and gives the end of the task', async () => {
    await using server = await serve(answering(200, JSON.stringify(DONE)));
    await using grsai = client([server.url]);
    expect(await grsai.images.generate(TASK)).toMatchObject({ id: ID, status: 'succeeded', urls: [URL_1] });
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ ...TASK, replyType: 'json' });
    expect(server.requests[0]?.headers.connection).toBe('close');
  });

  test.each([
    ['failed', 'generate failed', 'failed'],
    ['violation', 'prompt rejected', 'moderation'],
  ])('gives %s as a state although it comes as HTTP 400', async (status, error, category) => {
    await using server = await serve(answering(400, JSON.stringify({ id: ID, status, error })));
    await using grsai = client([server.url]);
    expect(await grsai.images.generate(TASK)).toMatchObject({ id: ID, status, error, category });
  });

  test('reads past the progress when the answer comes as a stream', async () => {
    await using server = await serve((_req, res) => res.write(events(RUNNING, DONE).trimEnd()));
    await using grsai = client([server.url]);
    expect(await grsai.images.generate(TASK)).toMatchObject({ status: 'succeeded' });
  });

  test('reads past the progress when the answer comes in lines', async () => {
    await using server = await serve((_req, res) => {
      res.write(`${JSON.stringify(RUNNING)}\n`);
      res.write(JSON.stringify(DONE));
    });
    await using grsai = client([server.url]);
    expect(await grsai.images.generate(TASK)).toMatchObject({ status: 'succeeded' });
  });

  test.each<[string, number, string, object]>([
    [
      'a refusal without a task',
      400,
      '{"id":"","status":"failed","error":"apikey error"}',
      { outcome: 'refused', category: 'auth' },
    ],
    ['a gateway that gave up', 504, '<html></html>', { outcome: 'unknown', retryable: false }],
    ['an empty 200', 200, '', { outcome: 'unknown', needsKeyProbe: true }],
    [
      'an answer that ends while the task runs',
      200,
      JSON.stringify(RUNNING),
      { outcome: 'unknown', taskId: ID, needsKeyProbe: false },
    ],
  ])('throws at %s', async (_, status, text, want) => {
    await using server = await serve(answering(status, text));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.generate(TASK))).toMatchObject(want);
  });

  test('sends nothing that is known to be wrong', async () => {
    await using server = await serve(answering(200, ''));
    await using grsai = client([server.url]);
    const wrong = { ...TASK, aspectRatio: '1024x1024' };
    expect(await errorOf(grsai.images.generate(wrong))).toMatchObject({ code: 'invalid_request' });
    expect(await errorOf(grsai.images.stream(wrong).next())).toMatchObject({ code: 'invalid_request' });
    expect(server.requests).toEqual([]);
  });
});

describe('stream', () => {
  test.each([
    ['', events(RUNNING, DONE)],
    [' with [DONE] and comments', `: hi\n\n${events(RUNNING, DONE)}data: [DONE]\n\n`],
    [' without the last blank line', events(RUNNING, DONE).trimEnd()],
  ])('asks for a stream and gives every state%s', async (_, text) => {
    await using server = await serve(answering(200, text, SSE));
    await using grsai = client([server.url]);
    const states = await drain(grsai.images.stream(TASK));
    expect(states).toMatchObject([
      { id: ID, status: 'running', progress: 36 },
      { id: ID, status: 'succeeded', urls: [URL_1] },
    ]);
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ ...TASK, replyType: 'stream' });
  });

  test('ends with a failure as a state, in the stream or in place of it', async () => {
    const failed = { id: ID, status: 'failed', error: 'generate failed' };
    for (const handler of [answering(200, events(RUNNING, failed), SSE), answering(400, JSON.stringify(failed))]) {
      await using server = await serve(handler);
      await using grsai = client([server.url]);
      expect((await drain(grsai.images.stream(TASK))).at(-1)).toMatchObject({ status: 'failed', category: 'failed' });
    }
  });

  test.each<[string, string, object]>([
    ['before the first event', '', { outcome: 'unknown', needsKeyProbe: true }],
    [
      'in the middle of an event',
      `${events(RUNNING)}data: {"id":"4-2c`,
      { code: 'connection_lost', outcome: 'unknown', taskId: ID },
    ],
    ['after the last progress', events(RUNNING), { code: 'connection_lost', outcome: 'unknown', taskId: ID, retryable: false }],
    ['after [DONE] without an end', `${events(RUNNING)}data: [DONE]\n\n`, { outcome: 'unknown', taskId: ID }],
    ['with a refusal', events({ id: '', status: 'failed', error: 'apikey error' }), { outcome: 'refused', category: 'auth' }],
    ['with an error', events({ error: { message: 'insufficient credits' } }), { outcome: 'refused', category: 'balance' }],
  ])('that ends %s throws', async (_, text, want) => {
    await using server = await serve(answering(200, text, SSE));
    await using grsai = client([server.url]);
    expect(await errorOf(drain(grsai.images.stream(TASK)))).toMatchObject(want);
  });

  test('that is reset has an unknown outcome and names the task', async () => {
    await using server = await serve((_req, res) => {
      res.write(events(RUNNING), () => res.socket?.resetAndDestroy());
    });
    await using grsai = client([server.url]);
    expect(await errorOf(drain(grsai.images.stream(TASK)))).toMatchObject({
      code: 'connection_lost',
      outcome: 'unknown',
      taskId: ID,
    });
  });
});

describe('generations', () => {
  const ANSWER = { created: 1780009876, data: [{ url: ` ${URL_1} ` }], usage: { total_tokens: 0, input_tokens_details: {} } };

  test.each([
    ['bare', ANSWER],
    ['in an envelope', { code: 0, msg: 'success', data: ANSWER }],
  ])('gives the links of an answer that comes %s', async (_, answer) => {
    await using server = await serve(answering(200, JSON.stringify(answer)));
    await using grsai = client([server.url]);
    expect(await grsai.images.generations({ ...TASK, size: '1:1' })).toMatchObject({
      outputs: [{ kind: 'link', url: URL_1 }],
      urls: [URL_1],
      usage: ANSWER.usage,
    });
    expect(server.requests[0]).toMatchObject({ url: '/v1/images/generations' });
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ ...TASK, size: '1:1', response_format: 'url' });
  });

  const INLINE = { kind: 'inline', bytes: Buffer.from('hi') };

  test.each<[string, number, unknown, unknown]>([
    ['the bytes of one without a link', 200, { created: 1, data: [{ b64_json: 'aGk=' }, { url: null }] }, [INLINE]],
    ['the bytes of a data URL', 200, { data: [{ url: 'data:image/png;base64,aG\nk=' }] }, [INLINE]],
    ['an output beside odd fields', 200, { created: '1', usage: 'none', data: [{ b64_json: 'aGk=', url: '' }] }, [INLINE]],
    ['an output that is no list', 200, { created: null, data: { b64_json: 'aGk=' } }, [INLINE]],
    ['the outputs of a task', 200, { id: 1, status: 'SUCCEEDED', results: [{ b64_json: 'aGk=' }] }, [INLINE]],
    ['an output although the status is odd', 404, { data: [{ b64_json: 'aGk=' }] }, [INLINE]],
    ['no output where the list is empty', 200, { created: 1, data: [] }, []],
  ])('gives %s', async (_, status, answer, outputs) => {
    await using server = await serve(answering(status, JSON.stringify(answer)));
    await using grsai = client([server.url]);
    expect((await grsai.images.generations(TASK)).outputs).toEqual(outputs);
  });

  test.each<[string, string]>([
    ['in an envelope of another name', JSON.stringify({ response: { data: [{ url: URL_1 }] } })],
    ['as a chat', JSON.stringify({ choices: [{ message: { content: `![x](${URL_1})` } }] })],
    ['as a bare text', URL_1],
    ['as a bare text that is JSON', JSON.stringify(URL_1)],
    ['as Markdown', `![x](${URL_1})`],
    ['as Markdown in an envelope', JSON.stringify({ code: 0, data: `![x](${URL_1})` })],
    ['as JSON in Markdown', `\`\`\`json\n${JSON.stringify({ data: [{ url: URL_1 }] })}\n\`\`\``],
    ['as an object of numbers', JSON.stringify({ created: 1, data: { 0: { url: URL_1 } } })],
    ['as a list of an unknown name', JSON.stringify({ created: 1, artifacts: [{ url: URL_1 }] })],
    ['behind lines of progress', `{"status":"running","progress":1}\n{"data":[{"url":"${URL_1}"}]}\n`],
  ])('gives an output that comes %s', async (_, text) => {
    await using server = await serve(answering(200, text));
    await using grsai = client([server.url]);
    expect((await grsai.images.generations(TASK)).urls).toEqual([URL_1]);
  });

  test.each([
    JSON.stringify({ created: 1, images: [` ${URL_1}`], model: 'x' }),
    JSON.stringify({ code: 0, data: { image_url: URL_1 } }),
    `the picture ${URL_1} is on its way`,
  ])('takes no link that was sent for an output: %s', async (text) => {
    await using server = await serve(answering(200, text));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.generations({ ...TASK, image: [URL_1] }))).toMatchObject({ outcome: 'unknown' });
  });

  test('passes over events in front of the one with the outputs', async () => {
    const events = [{ type: 'keep-alive' }, { status: 'running', progress: '5%' }, { data: [{ b64_json: 'aGk=' }] }];
    await using server = await serve(answering(200, events.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('')));
    await using grsai = client([server.url]);
    expect((await grsai.images.generations(TASK)).outputs).toEqual([INLINE]);
  });

  test.each<[string, number, string, object]>([
    ['a refusal', 400, '{"error":{"message":"generation failed"}}', { outcome: 'refused', category: 'failed', retryable: true }],
    ['a refused key', 400, '{"error":{"message":"apikey error"}}', { outcome: 'refused', category: 'auth' }],
    ['a 504', 504, 'upstream request timeout', { outcome: 'unknown', retryable: false }],
    ['a 200 without data', 200, '{"created":1}', { outcome: 'unknown', needsKeyProbe: true }],
    ['a page', 200, '<html></html>', { outcome: 'unknown' }],
    ['words that refuse, with a link', 200, `insufficient credits for ${URL_1}`, { outcome: 'refused', category: 'balance' }],
    ['words that refuse, with a picture', 200, `内容违规: ![x](${URL_1})`, { outcome: 'unknown' }],
    ['words that refuse, with what was sent', 200, `busy, try later\n{"data":[{"url":"${URL_1}"}]}`, { outcome: 'unknown' }],
  ])('throws at %s', async (_, status, text, want) => {
    await using server = await serve(answering(status, text));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.generations(TASK))).toMatchObject(want);
  });
});

describe('shapes of the legacy API', () => {
  test('a refusal with HTTP 200 and a code is a refusal', async () => {
    await using server = await serve(answering(200, '{"code":-1,"msg":"apikey credits not enough","data":null}'));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({ outcome: 'refused', category: 'balance', status: 200 });
  });

  test('a synchronous call may answer with one `data: ` line although no stream was asked for', async () => {
    await using server = await serve(answering(200, `data: ${JSON.stringify(DONE)}`));
    await using grsai = client([server.url]);
    expect(await grsai.images.generate(TASK)).toMatchObject({ status: 'succeeded', urls: [URL_1] });
  });
});
