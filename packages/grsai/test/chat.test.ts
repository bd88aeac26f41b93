import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { assemble, meaningOf } from '../src/index.ts';
import { answering, client, drain, drip, errorOf, serve } from './support.ts';

const REQUEST = { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'three ideas' }], temperature: 0.5 };
const HEAD = { id: '1-a', object: 'chat.completion.chunk', created: 1780004321, model: 'gemini-3.1-pro' };
const TEXT = '三个想法：🏮 lighthouse';

const chunk = (content: string, finish_reason: string | null = null) => ({
  ...HEAD,
  choices: [{ index: 0, delta: { content }, finish_reason }],
});
const events = (...values: unknown[]): string =>
  values.map((value) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`).join('');
const STREAM = events(chunk('三个想法：'), chunk('🏮 '), chunk('lighthouse', 'stop'), '[DONE]');
const COMPLETION = {
  ...HEAD,
  object: '',
  choices: [{ index: 0, message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' }],
};

const textOf = async (chunks: Parameters<typeof assemble>[0]) => (await assemble(chunks)).choices[0]?.message.content;

describe('a plain call', () => {
  test('says that it is plain and gives back what upstream said', async () => {
    await using server = await serve(answering(200, JSON.stringify(COMPLETION)));
    await using grsai = client([server.url]);
    expect(await grsai.chat.complete(REQUEST)).toEqual(COMPLETION);
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ ...REQUEST, stream: false });
  });

  test('is put together when the answer comes as a stream after all', async () => {
    await using server = await serve(answering(200, STREAM));
    await using grsai = client([server.url]);
    expect(await grsai.chat.complete(REQUEST)).toMatchObject({
      choices: [{ message: { content: TEXT }, finish_reason: 'stop' }],
    });
  });

  const PAID = { ...COMPLETION, usage: { prompt_tokens: 1, completion_tokens: 3 } };

  test.each([400, 403, 429, 500, 502, 504])('is read although its status is %i, where it took tokens', async (status) => {
    const streamed = events(chunk('三个想法：'), chunk('🏮 lighthouse', 'stop'), { choices: [], usage: PAID.usage }, '[DONE]');
    for (const body of [JSON.stringify(PAID), JSON.stringify({ code: 0, data: PAID }), streamed]) {
      await using server = await serve(answering(status, body));
      await using grsai = client([server.url]);
      expect(await grsai.chat.complete(REQUEST)).toMatchObject({ choices: [{ message: { content: TEXT } }], usage: PAID.usage });
      expect(await textOf(grsai.chat.stream(REQUEST))).toBe(TEXT);
    }
  });

  test.each<[string, string]>([
    ['the words of a refusal, which took none', JSON.stringify(COMPLETION)],
    ['no end', JSON.stringify({ ...PAID, choices: [{ message: { content: TEXT } }] })],
    ['no words', JSON.stringify({ ...PAID, choices: [{ message: { content: '' }, finish_reason: 'stop' }] })],
    ['an error', JSON.stringify({ ...PAID, error: { message: 'generation failed' } })],
    ['an end that is cut off', events({ ...chunk(TEXT, 'stop'), usage: PAID.usage }, chunk('x')).slice(0, -9)],
  ])('is refused by a status where it has %s', async (_, body) => {
    await using server = await serve(answering(400, body));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.chat.complete(REQUEST))).toMatchObject({ outcome: 'refused', status: 400 });
  });

  test('that was filtered is, whatever its status', async () => {
    const filtered = { ...COMPLETION, choices: [{ index: 0, message: { content: '' }, finish_reason: 'content_filter' }] };
    await using server = await serve(answering(403, JSON.stringify(filtered)));
    await using grsai = client([server.url]);
    expect(meaningOf(await grsai.chat.complete(REQUEST))).toEqual({ kind: 'filtered', reason: 'content_filter' });
  });

  test('does not wait for a connection that is left open', async () => {
    await using server = await serve((_req, res) => res.write(JSON.stringify(COMPLETION)));
    await using grsai = client([server.url]);
    expect(await grsai.chat.complete(REQUEST)).toEqual(COMPLETION);
  });

  test('is read as UTF-8 whatever the charset', async () => {
    await using server = await serve(
      answering(200, JSON.stringify(COMPLETION), { 'content-type': 'text/plain; charset=latin1' }),
    );
    await using grsai = client([server.url]);
    expect(await grsai.chat.complete(REQUEST)).toEqual(COMPLETION);
  });

  test.each<[string, number, string, object]>([
    [
      'a refusal',
      400,
      '{"error":{"message":"generation failed","type":"rix_api_error"}}',
      { category: 'failed', retryable: true },
    ],
    ['a refused key', 400, '{"error":{"message":"apikey error"}}', { category: 'auth', retryable: false }],
    ['a code in a 200', 200, '{"code":-1,"msg":"Model not support"}', { category: 'model', outcome: 'refused' }],
    ['a 502', 502, '<html></html>', { outcome: 'unknown', retryable: true }],
    ['an empty 200', 200, '', { outcome: 'unknown', retryable: true, needsKeyProbe: true }],
    ['a stream that breaks off', 200, events(chunk('三个')), { outcome: 'unknown', retryable: true }],
    ['an answer with a status that refuses', 400, JSON.stringify(COMPLETION), { outcome: 'refused' }],
  ])('that ends with %s throws', async (_, status, text, want) => {
    await using server = await serve(answering(status, text));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.chat.complete(REQUEST))).toMatchObject(want);
    expect(server.requests).toHaveLength(1);
  });

  test('has limits for the first byte, for silence and in all', async () => {
    await using silent = await serve(() => undefined);
    await using stuck = await serve((_req, res) => res.write('{"id"'));
    await using endless = await serve((_req, res) => {
      const dripping = setInterval(() => res.write(' '), 10);
      res.on('close', () => clearInterval(dripping));
    });
    await using first = client([silent.url], { firstByteMs: 40 });
    expect(await errorOf(first.chat.complete(REQUEST))).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('no answer'),
    });
    await using idle = client([stuck.url], { idleMs: 40 });
    expect(await errorOf(idle.chat.complete(REQUEST))).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('stood still'),
    });
    await using total = client([endless.url], { totalMs: 150 });
    expect(await errorOf(total.chat.complete(REQUEST))).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('not done'),
    });
  });
});

describe('a stream', () => {
  test('says that it is one and gives its chunks as they come', async () => {
    let next = (): void => undefined;
    await using server = await serve((_req, res) => {
      res.write(events(chunk('三个')));
      next = () => res.end(events(chunk('想法', 'stop')));
    });
    await using grsai = client([server.url]);
    const chunks = grsai.chat.stream(REQUEST);
    expect((await chunks.next()).value).toEqual(chunk('三个'));
    next();
    expect(await drain(chunks)).toEqual([chunk('想法', 'stop')]);
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ ...REQUEST, stream: true });
  });

  test.each([
    ['single bytes, so inside every character', 1],
    ['pieces of seven bytes', 7],
  ])('in %s is the same', async (_, size) => {
    await using server = await serve((_req, res) => void drip(res, Buffer.from(STREAM), size));
    await using grsai = client([server.url]);
    expect(await textOf(grsai.chat.stream(REQUEST))).toBe(TEXT);
  });

  test.each([
    ['without [DONE]', STREAM.replace('data: [DONE]\n\n', '')],
    ['without the last blank line', STREAM.replace('data: [DONE]\n\n', '').trimEnd()],
    ['with keep-alives', `: hi\n\ndata: {}\n\n${STREAM}`],
    ['as one plain completion', JSON.stringify(COMPLETION)],
    ['that breaks after its finish_reason', `${STREAM.replace('data: [DONE]\n\n', '')}data: {"cho`],
  ])('%s is whole', async (_, text) => {
    await using server = await serve(answering(200, text));
    await using grsai = client([server.url]);
    expect(await textOf(grsai.chat.stream(REQUEST))).toBe(TEXT);
  });

  test('whose connection stays open or resets after the finish_reason is whole', async () => {
    const text = STREAM.replace('data: [DONE]\n\n', '');
    await using open = await serve((_req, res) => res.write(text));
    await using reset = await serve((_req, res) => {
      res.write(text, () => res.socket?.resetAndDestroy());
    });
    for (const { url } of [open, reset]) {
      await using grsai = client([url]);
      expect(await textOf(grsai.chat.stream(REQUEST))).toBe(TEXT);
    }
  });

  test.each<[string, string, object]>([
    ['before its end', events(chunk('三个')), { outcome: 'unknown', retryable: true }],
    ['in the middle of an event', `${events(chunk('三个'))}data: {"choi`, { outcome: 'unknown', retryable: true }],
    ['before it began', '', { outcome: 'unknown', needsKeyProbe: true }],
    [
      'with an error event',
      events(chunk('三个'), { error: { message: 'generation failed' } }),
      { outcome: 'refused', category: 'failed' },
    ],
    ['with a code event', events({ code: -1, msg: 'apikey error' }), { outcome: 'refused', category: 'auth' }],
    ['with a page', '<html></html>', { outcome: 'unknown', needsKeyProbe: false }],
  ])('that ends %s throws', async (_, text, want) => {
    await using server = await serve(answering(200, text));
    await using grsai = client([server.url]);
    expect(await errorOf(drain(grsai.chat.stream(REQUEST)))).toMatchObject(want);
  });

  test('that is refused throws at its first step', async () => {
    await using server = await serve(answering(400, '{"error":{"message":"apikey error"}}'));
    await using grsai = client([server.url]);
    expect(await errorOf(grsai.chat.stream(REQUEST).next())).toMatchObject({ category: 'auth', status: 400 });
  });

  test('that is left early ends the call', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    await using server = await serve((_req, res) => {
      closed = once(res, 'close');
      res.write(events(chunk('三个')));
    });
    await using grsai = client([server.url]);
    for await (const _ of grsai.chat.stream(REQUEST)) break;
    await closed;
  });

  test('ends by its signal', async () => {
    const abort = new AbortController();
    await using server = await serve((_req, res) => res.write(events(chunk('三个'))));
    await using grsai = client([server.url]);
    const chunks = grsai.chat.stream(REQUEST, { signal: abort.signal });
    await chunks.next();
    abort.abort();
    expect(await errorOf(chunks.next())).toMatchObject({ code: 'aborted', retryable: false });
  });
});
