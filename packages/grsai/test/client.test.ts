import { inspect } from 'node:util';
import { createGzip } from 'node:zlib';
import { Agent } from 'undici';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Grsai } from '../src/index.ts';
import { answering, client, deadUrl, errorOf, KEY, serve, TASK } from './support.ts';

const RUNNING = JSON.stringify({ id: '6-a', status: 'running' });
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const COMPLETION = JSON.stringify({ object: '', choices: [{ index: 0, message: { role: 'assistant', content: 'hello' } }] });

/** undici frees a connection a turn of the loop after its answer has ended, so calls in a row take turns on two. */
const KEPT = 2;

describe('connections', () => {
  test('of image submits are never shared, so that a closing one is no false unknown', async () => {
    await using server = await serve(answering(200, RUNNING));
    await using grsai = client([server.url]);
    for (let i = 0; i < 3; i++) await grsai.images.submit(TASK);
    expect(server.connections()).toBe(3);
  });

  test('of result queries and chat are kept', async () => {
    await using server = await serve((req, res) => {
      res.end(req.url?.startsWith('/v1/chat') ? COMPLETION : RUNNING);
    });
    await using grsai = client([server.url]);
    for (let i = 0; i < 10; i++) {
      await grsai.images.result('6-a', { base: server.url });
      await grsai.chat.complete(CHAT);
    }
    expect(server.connections()).toBeLessThanOrEqual(KEPT);
  });

  test('are kept after a refusal and a page as well', async () => {
    await using server = await serve((_req, res) => {
      res.writeHead(502).end('<html>bad gateway</html>');
    });
    await using grsai = client([server.url]);
    for (let i = 0; i < 10; i++) await errorOf(grsai.images.result('6-a', { base: server.url }));
    expect(server.connections()).toBeLessThanOrEqual(KEPT);
  });

  test('come from the injected dispatcher, which stays open', async () => {
    await using server = await serve(answering(200, RUNNING));
    const dispatcher = new Agent();
    onTestFinished(() => dispatcher.destroy());
    const spy = vi.spyOn(dispatcher, 'dispatch');
    const grsai = client([server.url], {}, { dispatcher });
    await grsai.images.submit(TASK);
    await grsai.images.result('6-a', { base: server.url });
    await grsai.close();
    expect(spy).toHaveBeenCalledTimes(2);
    expect(dispatcher.closed).toBe(false);
  });

  test('are gone after close, and calls after it were not sent', async () => {
    await using server = await serve(answering(200, RUNNING));
    const grsai = client([server.url]);
    await grsai.images.submit(TASK);
    await grsai.close();
    expect(await errorOf(grsai.images.submit(TASK))).toMatchObject({ outcome: 'not_sent' });
    expect(server.requests).toHaveLength(1);
  });
});

describe('the environment', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('is not asked for a proxy', async () => {
    const dead = await deadUrl();
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY']) vi.stubEnv(name, dead);
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    await using server = await serve(answering(200, RUNNING));
    await using grsai = client([server.url]);
    expect(await grsai.images.submit(TASK)).toMatchObject({ id: '6-a' });
  });
});

describe('a result query', () => {
  test('asks the base it is given, with the id encoded and the key sent', async () => {
    await using first = await serve(answering(200, RUNNING));
    await using second = await serve(answering(200, RUNNING));
    await using grsai = client([first.url, second.url]);
    await grsai.images.result('6-a/b?c', { base: second.url });
    expect(first.requests).toEqual([]);
    expect(second.requests[0]).toMatchObject({
      method: 'GET',
      url: '/v1/api/result?id=6-a%2Fb%3Fc',
      headers: { authorization: `Bearer ${KEY}` },
    });
  });

  test('never turns to another base, where the task is not known', async () => {
    const dead = await deadUrl();
    await using other = await serve(answering(200, RUNNING));
    await using grsai = client([dead, other.url]);
    expect(await errorOf(grsai.images.result('6-a', { base: dead }))).toMatchObject({ retryable: true, base: dead });
    expect(other.requests).toEqual([]);
  });

  test.each([
    ['events', 'ends', 'data: ', true],
    ['events', 'stays open', 'data: ', false],
    ['lines', 'ends', '', true],
    ['lines', 'stays open', '', false],
  ])('that is answered in %s is the last of them, when the answer %s', async (_, _end, before, ends) => {
    const event = (status: string) => `${before}{"id":"6-a","status":"${status}"}\n\n`;
    await using server = await serve((request, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const done = request.url?.includes('done') === true;
      res.write(event('running') + (done ? event('succeeded') : ''));
      if (ends) res.end();
    });
    await using grsai = client([server.url]);
    expect(await grsai.images.result('done', { base: server.url })).toMatchObject({ status: 'succeeded' });
    expect(await grsai.images.result('6-a', { base: server.url })).toMatchObject({ status: 'running' });
  });

  test.each([
    ['too slow', () => undefined, 80, 'timeout'],
    ['cut', (res: { destroy: () => void }) => res.destroy(), 20_000, 'connection_lost'],
  ])('whose answer is %s may be made again', async (_, act, queryMs, code) => {
    await using server = await serve((_req, res) => {
      res.write('{"id":');
      act(res);
    });
    await using grsai = client([server.url], { queryMs });
    expect(await errorOf(grsai.images.result('6-a', { base: server.url }))).toMatchObject({ code, retryable: true });
  });
});

describe('side calls', () => {
  test('credits sends the key in the body only and reads the number', async () => {
    await using server = await serve(answering(200, '{"code":0,"msg":"success","data":{"credits":48200}}'));
    await using grsai = client([server.url]);
    expect(await grsai.account.credits()).toBe(48_200);
    expect(server.requests[0]).toMatchObject({ url: '/client/openapi/getAPIKeyCredits', body: JSON.stringify({ apiKey: KEY }) });
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test.each(['{"code":0,"data":{}}', '{"code":-1,"msg":"apikey error"}', '<html></html>', '', '{"data":{"credits":"many"}}'])(
    'credits that cannot be read are an error: %j',
    async (text) => {
      await using server = await serve(answering(200, text));
      await using grsai = client([server.url]);
      await errorOf(grsai.account.credits());
    },
  );

  test.each<[string, number]>([
    ['48200', 48_200],
    ['0', 0],
    ['-12.5', -12.5],
    ['"48200"', 48_200],
    ['" 48,200.75 "', 48_200.75],
    ['"-3"', -3],
  ])('both balances are read from %s', async (written, amount) => {
    await using server = await serve(answering(200, `{"code":0,"data":{"credits":${written}}}`));
    await using grsai = client([server.url]);
    expect(await grsai.account.credits()).toBe(amount);
    expect(await grsai.account.accountCredits()).toBe(amount);
  });

  test.each([
    '{"code":"0","data":{"credits":7}}',
    '{"code":200,"message":"ok","data":{"credits":7}}',
    '{"Code":0,"Data":{"Credits":7}}',
    '{"code":0,"data":"{\\"credits\\":7}"}',
    '{"code":0,"data":{"data":{"credits":7}}}',
    '{"code":0,"data":{"balance":7}}',
  ])('both balances are read out of %s', async (text) => {
    await using server = await serve(answering(200, text));
    await using grsai = client([server.url]);
    expect([await grsai.account.credits(), await grsai.account.accountCredits()]).toEqual([7, 7]);
  });

  test.each([
    ['1', true],
    ['"true"', true],
    ['0', false],
    ['"False"', false],
  ])('the status of a model is read from %s', async (written, available) => {
    await using server = await serve(answering(200, `{"code":0,"data":{"status":${written}}}`));
    await using grsai = client([server.url]);
    expect((await grsai.models.status('m')).available).toBe(available);
  });

  test('the credits of the account are asked for with the key in the URL, which no log line and no error shows', async () => {
    const lines: unknown[] = [];
    const key = 'odd+key/of=another&shape';
    await using server = await serve(
      answering(404, '{"error":"no such route /client/common/getCredits?apikey=odd%2Bkey%2Fof%3Danother%26shape"}'),
    );
    await using grsai = new Grsai({ apiKey: key, baseUrls: [server.url], logger: { debug: (...line) => void lines.push(line) } });
    const error = await errorOf(grsai.account.accountCredits());
    expect(server.requests[0]).toMatchObject({
      method: 'GET',
      url: `/client/common/getCredits?apikey=${encodeURIComponent(key)}`,
    });
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
    const shown = inspect(error) + JSON.stringify(error) + error.message + error.stack + JSON.stringify(lines);
    for (const part of [key, encodeURIComponent(key), 'another']) expect(shown).not.toContain(part);
    await using gone = new Grsai({ apiKey: key, baseUrls: [await deadUrl()] });
    const lost = await errorOf(gone.account.accountCredits());
    expect(inspect(lost, { depth: 9 }) + lost.message).not.toContain('another');
  });

  test.each([
    '{"code":0,"data":{}}',
    '{"data":{"credits":"NaN"}}',
    '{"data":{"credits":""}}',
    '{"data":{"credits":null}}',
    '<html></html>',
  ])('credits of the account that cannot be read are an error: %j', async (text) => {
    await using server = await serve(answering(200, text));
    await using grsai = client([server.url]);
    await errorOf(grsai.account.accountCredits());
  });

  test('the status of a model shows health and the text during maintenance', async () => {
    await using server = await serve((req, res) => {
      const down = req.url?.includes('nano-banana-pro');
      res.end(JSON.stringify({ code: 0, data: { status: !down, error: down ? 'model maintenance' : '' } }));
    });
    await using grsai = client([server.url]);
    expect(await grsai.models.status('nano-banana-2')).toEqual({ model: 'nano-banana-2', available: true, error: '' });
    expect(await grsai.models.status('nano-banana-pro')).toMatchObject({ available: false, error: 'model maintenance' });
  });

  test('the list of models is asked for without the key, at one address if that is said', async () => {
    const list = '{"code":0,"data":{"list":[{"name":"m","cost":600,"costType":0},{"name":"no name"}]}}';
    await using first = await serve(answering(200, list));
    await using second = await serve(answering(200, list));
    await using grsai = client([first.url]);
    const read = { models: [{ id: 'm', price: { credits: 600 } }], leftOut: 1 };
    expect(await grsai.models.list()).toMatchObject(read);
    expect(await grsai.models.list({ base: second.url })).toMatchObject(read);
    for (const { requests } of [first, second]) {
      expect(requests).toMatchObject([{ method: 'POST', url: '/client/serverGrsai/getModelListV2', body: '{}' }]);
      expect(JSON.stringify(requests)).not.toContain(KEY);
    }
  });

  test.each([
    ['a caller who is not signed in', 200, '{"code":-10000,"data":null,"msg":""}'],
    ['a refusal beside models', 200, '{"code":"-3","data":{"list":[{"name":"m"}]}}'],
    ['no model', 200, '{"code":0,"data":{"list":[]}}'],
    ['no readable model', 200, '{"code":0,"data":{"list":[{"name":"no name"},7]}}'],
    ['no list', 200, '{"code":0,"data":null}'],
    ['a page', 200, '<html></html>'],
    ['nothing', 200, ''],
    ['half a list', 200, '{"code":0,"data":{"list":[{"name":"m"},'],
    ['an error with a list', 500, '{"code":0,"data":{"list":[{"name":"m"}]}}'],
    ['a redirect', 302, ''],
  ])('a list of models that is %s is an error', async (_, status, text) => {
    await using server = await serve(answering(status, text));
    await using grsai = client([server.url]);
    await errorOf(grsai.models.list());
  });

  test('a list of models that does not end, in bytes or in time, is given up', async () => {
    await using endless = await serve((_req, res) => {
      res.writeHead(200, { 'content-encoding': 'gzip' });
      const gzip = createGzip();
      gzip.pipe(res);
      gzip.write('{"code":0,"data":{"list":["');
      const more = () => {
        while (!res.destroyed && gzip.write(Buffer.alloc(1 << 20, 120)));
        if (!res.destroyed) gzip.once('drain', more);
      };
      more();
    });
    await using slow = await serve((_req, res) => void res.write('{"code":0,"data":{"list":['));
    await using grsai = client([endless.url], { queryMs: 20_000 });
    expect(await errorOf(grsai.models.list())).toMatchObject({ code: 'unreadable_answer' });
    await using hasty = client([slow.url], { queryMs: 40 });
    expect(await errorOf(hasty.models.list())).toMatchObject({ code: 'timeout' });
  });

  test.each([
    ['apikey error', 400, '{"error":{"message":"apikey error"}}', 'refused'],
    ['a 401', 401, '', 'refused'],
    ['a model error', 400, '{"error":{"message":"Model not support"}}', 'valid'],
    ['no credits', 400, '{"error":{"message":"apikey credits not enough"}}', 'valid'],
    ['a completion', 200, COMPLETION, 'valid'],
    ['a page', 502, '<html></html>', 'unknown'],
    ['a 429', 429, '', 'unknown'],
    ['an empty 200', 200, '', 'unknown'],
    ['an unknown text', 400, '{"error":{"message":"???"}}', 'unknown'],
  ])('the key probe makes of %s: %s', async (_, status, text, state) => {
    await using server = await serve(answering(status, text));
    await using grsai = client([server.url]);
    expect(await grsai.probeKey()).toBe(state);
  });

  test('the key probe does not wait long', async () => {
    await using server = await serve(() => undefined);
    await using grsai = client([server.url], { queryMs: 40 });
    expect(await grsai.probeKey()).toBe('unknown');
  });

  test.each([
    ['the answer for no task', 404, '{"error":"result not exist, valid for 2 hours"}', 'right'],
    ['the older one', 200, '{"code":-22,"msg":"task not exist","data":null}', 'right'],
    ['one in other words', 404, '{"error":"task does not exist or has expired"}', 'right'],
    ['a task', 200, '{"id":"1-1","status":"running","progress":3}', 'right'],
    ['a refused key', 400, '{"error":{"message":"apikey error"}}', 'right'],
    ['an unknown refusal', 400, '{"error":{"message":"???"}}', 'right'],
    ['a page that is not there', 404, '<html><body>404 Not Found</body></html>', 'wrong'],
    ['a text that is not there', 404, 'not found', 'wrong'],
    [
      'the JSON 404 of another service',
      404,
      '{"message":"Cannot GET /v1/api/result?id=0-0","error":"Not Found","statusCode":404}',
      'wrong',
    ],
    ['the JSON 404 of a gateway', 404, '{"message":"no Route matched with those values"}', 'wrong'],
    ['an empty 404', 404, '', 'wrong'],
    ['the page of a dashboard', 200, '<!doctype html><html><title>Grsai</title></html>', 'wrong'],
    ['a redirect', 301, '', 'wrong'],
    ['a method that is not allowed', 405, '', 'wrong'],
    ['a page of a proxy', 502, '<html></html>', 'away'],
    ['a 429', 429, '', 'away'],
    ['an empty 200', 200, '', 'away'],
  ])('the probe of a base makes of %s: %s', async (_, status, text, state) => {
    await using server = await serve(answering(status, text));
    await using grsai = client([server.url]);
    expect(await grsai.probeBase(server.url)).toMatchObject({ state });
    expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  test('the probe of a base does not wait long, and does not take silence for a wrong address', async () => {
    await using server = await serve(() => undefined);
    await using grsai = client([server.url], { queryMs: 40 });
    expect(await grsai.probeBase(server.url)).toMatchObject({ state: 'away' });
    const dead = await deadUrl();
    expect(await grsai.probeBase(dead)).toMatchObject({ state: 'away', seen: 'connection_failed' });
    expect(await errorOf(grsai.probeBase(dead, { signal: AbortSignal.abort() }))).toMatchObject({ code: 'aborted' });
  });

  test('the key probe does not know when nobody answers, and ends by its signal', async () => {
    await using grsai = client([await deadUrl()]);
    expect(await grsai.probeKey()).toBe('unknown');
    expect(await errorOf(grsai.probeKey({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'aborted' });
  });
});

describe('the client itself', () => {
  test('shows no key, however it is printed', () => {
    const grsai = new Grsai({ apiKey: KEY });
    expect(inspect(grsai, { depth: 10, showHidden: true }) + JSON.stringify(grsai) + String(grsai)).not.toContain('0011223344');
    expect(inspect(grsai.account, { depth: 10 }) + JSON.stringify(grsai.account)).not.toContain('0011223344');
  });

  test.each([
    { apiKey: '' },
    { apiKey: 'sk-with\nbreak' },
    { apiKey: KEY, baseUrls: [] },
    { apiKey: KEY, baseUrls: ['grsaiapi.com'] },
    { apiKey: KEY, baseUrls: ['ftp://grsaiapi.com'] },
    { apiKey: KEY, baseUrls: ['https://user:secret@grsaiapi.com'] },
    { apiKey: KEY, baseUrls: ['https://grsaiapi.com?x=1'] },
  ])('refuses options that cannot work, and does not repeat them: %#', (options) => {
    expect(() => new Grsai(options)).toThrow(TypeError);
    expect(() => new Grsai(options)).not.toThrow(/secret|sk-/);
  });

  test('writes one line for each exchange, without key, body or query', async () => {
    const lines: unknown[] = [];
    const dead = await deadUrl();
    await using server = await serve(answering(200, RUNNING));
    const logger = { debug: (fields: Record<string, unknown>, message: string) => lines.push({ ...fields, message }) };
    await using grsai = client([dead, server.url], {}, { logger });
    await grsai.images.submit(TASK);
    await grsai.images.result('6-secret', { base: server.url });
    const ms = expect.any(Number);
    expect(lines).toEqual([
      {
        method: 'POST',
        path: '/v1/api/generate',
        base: dead,
        code: 'connection_failed',
        outcome: 'not_sent',
        ms,
        message: 'grsai call failed',
      },
      { method: 'POST', path: '/v1/api/generate', base: server.url, status: 200, ms, message: 'grsai answered' },
      { method: 'GET', path: '/v1/api/result', base: server.url, status: 200, ms, message: 'grsai answered' },
    ]);
  });

  test('works below a path', async () => {
    await using server = await serve(answering(200, RUNNING));
    await using grsai = client([`${server.url}/front/`]);
    expect(await grsai.images.submit(TASK)).toMatchObject({ base: `${server.url}/front` });
    expect(server.requests[0]?.url).toBe('/front/v1/api/generate');
  });
});
