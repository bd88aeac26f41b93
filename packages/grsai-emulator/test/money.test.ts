import { describe, expect, test } from 'vitest';
import { ask, during, json, start, TASK_MS } from './client.ts';

interface Listed {
  readonly name: string;
  readonly maintenance: string;
  readonly errorReturn: boolean;
  readonly violationReturn: boolean;
  readonly [name: string]: unknown;
}

const V2 = '/client/serverGrsai/getModelListV2';

describe('the model list', () => {
  const list = async (path: string, options: object = {}): Promise<Map<string, Listed>> => {
    const { emulator } = await start(options);
    const reply = await ask(emulator.url + path, { method: 'POST', headers: { authorization: '' } });
    const { code, data } = json<{ code: number; data: { list: Listed[] } }>(reply);
    expect([reply.status, code]).toEqual([200, 0]);
    return new Map(data.list.map((row) => [row.name, row]));
  };

  test('when nobody is signed in, then it lists some thirty models with price, state and refunds', async () => {
    const rows = await list(V2, { models: { 'gpt-image-2': 'maintenance', 'tomorrow-1': 'live' } });
    expect(rows.size).toBeGreaterThan(30);
    expect(rows.get('nano-banana-2')).toMatchObject({
      type: 'image',
      costType: 0,
      cost: 1200,
      closeModel: false,
      maintenance: '',
    });
    expect(rows.get('gemini-3.1-pro')).toMatchObject({ costType: 1, inputCost: 30_000, outputCost: 140_000 });
    expect(rows.get('minimax-h3')).toMatchObject({ type: 'video', cost: 0, video: { '768p': 4000 } });
    expect(rows.get('nano-banana')).toMatchObject({ closeModel: true });
    expect(rows.get('gpt-image-2')?.maintenance).toBe('model maintenance');
    expect(rows.get('tomorrow-1')).toMatchObject({ closeModel: false });
    expect(['nano-banana-2', 'nano-banana-2-cl', 'gpt-image-2-vip'].map((name) => rows.get(name)?.errorReturn)).toEqual([
      true,
      false,
      false,
    ]);
    expect([...rows.values()].every((row) => !row.violationReturn)).toBe(true);
  });

  test('when it is the first version, then it has prices by the call alone', async () => {
    const rows = await list('/client/serverGrsai/getModelList');
    expect(rows.get('nano-banana-2')).toMatchObject({ credits: 1200, cost_type: 0 });
    expect(rows.get('minimax-h3')).toMatchObject({ credits: 0 });
    expect(rows.get('gpt-5.5')).toMatchObject({ credits: 0, cost_type: 1, max_token: 65_536 });
  });

  test.each([
    ['/client/serverGrsai/getOrders', -10_000],
    ['/client/openapi/createAPIKey', -3],
    ['/client/user/info', -1],
    ['/client/openapi/getCredits', -10_000],
  ])('when %s is called without a session, then 200 with the code %i', async (path, code) => {
    const { emulator } = await start();
    const reply = await ask(emulator.url + path, { body: {} });
    expect([reply.status, json(reply)]).toMatchObject([200, { code, data: null }]);
  });
});

describe('what comes back of a failed task', () => {
  test.each<[string, string, boolean]>([
    ['nano-banana-2', 'table', true],
    ['nano-banana-2-cl', 'table', false],
    ['nano-banana-pro-4k-vip', 'table', false],
    ['nano-banana-2-cl', 'always', true],
    ['nano-banana-2', 'never', false],
  ])('when %s fails and refunds are by %s, then all or nothing', async (model, refundOnError, back) => {
    const { emulator, submit } = await start({ refundOnError: refundOnError as 'table' });
    await submit('x [[outcome=failed]]', {}, { model });
    await emulator.advance(TASK_MS);
    expect(emulator.ledger.creditsReturned).toBe(back ? emulator.ledger.creditsTaken : 0);
  });
});

test.each([
  [{}, 20_000],
  [{ resolution: '480p', duration: 2 }, 5000],
  [{ resolution: '1080p', duration: 10 }, 80_000],
])('when a video asks for %j, then it costs %i', async (fields, cost) => {
  const { emulator, submit } = await start();
  await submit('x', {}, { model: 'minimax-h3', ...fields });
  expect(emulator.ledger.creditsTaken).toBe(cost);
});

describe('chat charged by tokens', () => {
  const PROMPT = 'x'.repeat(4000);
  const talk = { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: PROMPT }] };

  test('when it is answered, then prompt and answer are charged by the price of the model', async () => {
    const { emulator, post } = await start({ chatCost: 'tokens' });
    const reply = await during(emulator, post('/v1/chat/completions', talk, { 'x-emulator-reply-bytes': '8000' }), 2000);
    expect(json(reply)).toMatchObject({ usage: { prompt_tokens: 1000, completion_tokens: 2000 } });
    expect(emulator.ledger.creditsTaken).toBeCloseTo(30 + 280, 4);
  });

  test('when the account has less than the answer costs, then that is all that is taken', async () => {
    const { emulator, post } = await start({ chatCost: 'tokens', credits: 100 });
    await during(emulator, post('/v1/chat/completions', talk, { 'x-emulator-reply-bytes': '8000' }), 2000);
    expect(emulator.ledger).toMatchObject({ credits: 0, creditsTaken: 100 });
  });

  test('when it fails, then all of it comes back', async () => {
    const { emulator, post } = await start({ chatCost: 'tokens' });
    await during(emulator, post('/v1/chat/completions', talk, { 'x-emulator-fault': 'F21:as=failed' }), 2000);
    expect(emulator.ledger.creditsReturned).toBeCloseTo(emulator.ledger.creditsTaken, 4);
  });
});

describe('/v1/images/generations', () => {
  test('when base64 and a size are asked for, then an address comes, of the usual size, with the tokens that it took', async () => {
    const { emulator, post } = await start({ badSize: 'refuse' });
    const call = post('/v1/images/generations', {
      model: 'nano-banana-2',
      prompt: 'x'.repeat(40),
      image: ['https://assets.example.net/a.png'],
      size: '99x1',
      response_format: 'b64_json',
    });
    expect(json(await during(emulator, call, TASK_MS))).toMatchObject({
      data: [{ url: expect.stringContaining('/file/') }],
      usage: { input_tokens: 1066, output_tokens: 1056, total_tokens: 2122, input_tokens_details: { text_tokens: 10 } },
    });
  });
});

test.each([
  ['GET', '/v1/models'],
  ['POST', '/v1/images/edits'],
])('when %s %s is called, then it is a 404', async (method, path) => {
  const { emulator } = await start();
  expect((await ask(emulator.url + path, { method })).status).toBe(404);
});
