import { describe, expect, test } from 'vitest';
import { responseOf } from '../test/odd-answers.ts';
import { CompletionAssembler } from './assemble.ts';
import { piecesOf } from './chat-answer.ts';
import { GrsaiConnectionError, GrsaiError } from './errors.ts';
import type { Response } from './exchange.ts';

const head = { id: 'c1', object: 'chat.completion.chunk', created: 1_764_000_000, model: 'm' };
const chunk = (delta: unknown, more: object = {}, choice: object = {}) => ({
  ...head,
  choices: [{ index: 0, delta, finish_reason: null, ...choice }],
  ...more,
});
const stop = chunk({}, {}, { finish_reason: 'stop' });
const completion = (more: object = {}, choice: object = {}) => ({
  ...head,
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop', ...choice }],
  ...more,
});
const event = (value: unknown): string => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
const events = (...values: unknown[]): string => values.map(event).join('');

type Told = Parameters<typeof responseOf>[1];
const answer = (text: string, more?: Told): Response => responseOf([Buffer.from(text)], more);

/** What is read: a plain answer as it came, or what its pieces make. */
async function read(response: Response): Promise<unknown> {
  const assembler = new CompletionAssembler();
  for await (const piece of piecesOf(response, (text) => text, 'drop')) {
    if ('whole' in piece) return piece.whole;
    assembler.add(piece.chunk);
  }
  return assembler.completion();
}

async function errorOf(response: Response): Promise<GrsaiError> {
  const outcome = await read(response).catch((error: unknown) => error);
  if (outcome instanceof GrsaiError) return outcome;
  throw new Error(`expected a failure, got ${JSON.stringify(outcome)}`);
}

describe('a plain answer passes as it came', () => {
  test.each<[string, object]>([
    ['created a text', { created: '1764000000' }],
    ['usage with a list', { usage: { prompt_tokens: 1, prompt_tokens_details: [] } }],
    ['usage a text', { usage: 'unknown' }],
    ['a number as its id', { id: 17, model: null, object: 7, system_fingerprint: {} }],
    ['an error that is null', { error: null }],
    ['an error that is empty', { error: {} }],
    ['an error that says so', { error: { code: 0, message: '' } }],
    ['an error of no words', { error: '' }],
    ['no error in a list', { error: [] }],
    ['vendor fields', { code: 'x', status: 'failed', type: 'error', message: 'unauthorized' }],
  ])('with %s', async (_, more) => {
    expect(await read(answer(JSON.stringify(completion(more))))).toEqual(completion(more));
  });

  test.each<[string, object]>([
    ['no index', { index: undefined }],
    ['a list of filter results', { content_filter_results: [{ hate: false }], logprobs: 'none' }],
    ['an object as its content', { message: { role: 1, content: { answer: 42 } } }],
    ['a number as its content', { message: { content: 42 } }],
    ['tool calls that are no list', { message: { content: 'x', tool_calls: { id: 1 } } }],
    ['a bare text as its message', { message: 'hello' }],
    ['no message', { message: null, finish_reason: 'length' }],
    ['a delta that is null', { delta: null }],
    ['an odd finish_reason', { finish_reason: { type: 'stop' } }],
  ])('whose choice has %s', async (_, choice) => {
    const whole = JSON.parse(JSON.stringify(completion({}, choice))) as unknown;
    expect(await read(answer(JSON.stringify(whole)))).toEqual(whole);
  });

  test.each(['result', 'response', 'body', 'output', 'payload'])('in an object %s', async (name) => {
    expect(await read(answer(JSON.stringify({ code: 0, message: 'ok', [name]: completion() })))).toEqual(completion());
  });

  test.each(['Result', 'resp', 'chatCompletion', 'answer'])('in an object of the name %s, alone or in a list', async (name) => {
    for (const value of [completion(), [completion()]])
      expect(await read(answer(JSON.stringify({ code: 0, [name]: value })))).toEqual(completion());
  });

  test('in an envelope as a list, or as JSON in a text', async () => {
    for (const data of [[completion()], JSON.stringify(completion())])
      expect(await read(answer(JSON.stringify({ code: 0, data })))).toEqual(completion());
  });

  test('in an envelope, and without waiting for what follows it', async () => {
    expect(await read(answer(`{"code":200,"msg":"ok","data":${JSON.stringify(completion())}} {"a":`))).toEqual(completion());
  });
});

describe('a choice is read under other names', () => {
  const said = { choices: [{ message: { content: 'hello' } }] };
  test.each<[string, unknown]>([
    ['large letters', { Choices: [{ Index: 0, Message: { Role: 'assistant', Content: 'hello' }, FinishReason: 'stop' }] }],
    ['a message without its name', completion({}, { message: undefined, content: 'hello' })],
    ['a list of one message', completion({}, { message: undefined, messages: [{ role: 'assistant', content: 'hello' }] })],
    ['choices that are JSON in a text', completion({ choices: JSON.stringify(completion().choices) })],
    ['one choice', { ...completion(), choices: undefined, choice: completion().choices }],
  ])('%s', async (_, value) => expect(await read(answer(JSON.stringify(value)))).toMatchObject(said));

  test('in the pieces of a stream', async () => {
    const piece = (Content: string, more: object = {}) => ({ Choices: [{ Index: 0, Delta: { Content }, ...more }] });
    expect(await read(answer(events(piece('hel'), piece('lo', { FinishReason: 'stop' }))))).toMatchObject(said);
    const own = (content: string) => chunk(undefined, {}, { content });
    expect(await read(answer(events(own('hel'), own('lo'), stop)))).toMatchObject(said);
  });
});

describe('a stream is whole', () => {
  const HELLO = { choices: [{ message: { content: 'hello' } }] };

  test.each<[string, string]>([
    [
      'with the counts of its last piece in an odd form',
      events(
        chunk({ content: 'hel' }),
        chunk({ content: 'lo' }, { usage: { prompt_tokens_details: [] } }, { finish_reason: 'stop' }),
        '[DONE]',
      ),
    ],
    [
      'with an empty error beside each choice',
      events(chunk({ content: 'hel' }, { error: null }), chunk({ content: 'lo' }, { error: {} }, { error: '' }), stop),
    ],
    ['whose end is named beside the choices', events(chunk({ content: 'hello' }), { choices: [], finish_reason: 'stop' })],
    [
      'of chunks in objects of other names',
      events(...[chunk({ content: 'hello' }), stop].map((piece) => ({ type: 'chunk', chunk: piece }))),
    ],
    [
      'behind words of a queue',
      events(
        { status: 'queued', message: 'too many requests, waiting' },
        { status: '排队中', msg: '系统繁忙' },
        chunk({ content: 'hello' }),
        stop,
      ),
    ],
    ['of enveloped chunks', events(...[chunk({ content: 'hello' }), stop].map((data) => ({ code: 0, data })))],
    ['of lists of chunks', events([chunk({ content: 'hel' }), chunk({ content: 'lo' })], [stop])],
    [
      'of lines that are no events',
      [chunk({ content: 'hel' }), chunk({ content: 'lo' }), stop].map((each) => JSON.stringify(each)).join('\n'),
    ],
    [
      'whose choices are objects',
      events({ choices: { index: 0, delta: { content: 'hel' } } }, { choices: { 0: { delta: { content: 'lo' } } } }, stop),
    ],
    ['of bare texts', events(chunk('hel'), chunk(['lo']), stop).replaceAll('["lo"]', '"lo"')],
    [
      'of messages',
      events(chunk(undefined, {}, { message: { content: 'hel' } }), chunk(undefined, {}, { message: { content: 'lo' } }), stop),
    ],
    [
      'that says everything once more',
      events(chunk({ content: 'hello' }), chunk(undefined, {}, { message: { content: 'hello' }, finish_reason: 'stop' })),
    ],
    [
      'whose chunks all have a finish_reason',
      events(
        chunk({ content: 'hel' }, {}, { finish_reason: 'stop' }),
        chunk({ content: 'lo' }, {}, { finish_reason: 'stop' }),
        '[DONE]',
      ),
    ],
    [
      'whose reason goes on being the word null',
      events(chunk({ content: 'hel' }, {}, { finish_reason: 'null' }), chunk({ content: 'lo' }), stop),
    ],
    [
      'with signs of life',
      `: hi\n\n${events('ping', '{"type":"ping"}', 'null', '""', '[]', chunk({ content: 'hello' }))}event: heartbeat\ndata: now\n\n${events(stop)}`,
    ],
    ['of chunks in an object of another name', events(...[chunk({ content: 'hello' }), stop].map((result) => ({ result })))],
    [
      'of chunks that are JSON in a text',
      events(...[chunk({ content: 'hello' }), stop].map((each) => ({ data: JSON.stringify(each) }))),
    ],
    [
      'of events in events',
      [chunk({ content: 'hello' }), stop].map((each) => `data: data: ${JSON.stringify(each)}\n\n`).join(''),
    ],
    ['of events in large letters', events(chunk({ content: 'hello' }), stop).replaceAll('data: ', 'Data: ')],
    ['with a number that is none', events(chunk({ content: 'hello' }), stop).replace('1764000000', 'NaN')],
    [
      'whose reason has another name',
      events(chunk({ content: 'hello' }, {}, { finish_reason: undefined, finishReason: 'STOP' })),
    ],
    ['whose reason stands in the piece', events(chunk({ content: 'hello', finish_reason: 'stop' }))],
    [
      'with an error that says that all is well',
      events(chunk({ content: 'hello' }, { error: { code: 200, message: 'success' } }), stop),
    ],
    ['whose end has another form', events(chunk({ content: 'hello' }), stop, '"[done]"')],
  ])('%s', async (_, text) => {
    expect(await read(answer(text))).toMatchObject(HELLO);
  });

  test.each<[string, unknown]>([
    ['no choices', { ...head, usage: { total_tokens: 7 } }],
    ['choices that are null', { ...head, choices: null, usage: { total_tokens: 7 } }],
    ['an empty list of choices', { ...head, choices: [], usage: { total_tokens: 7 } }],
    ['an empty object of choices', { choices: {}, usage: { total_tokens: 7 } }],
  ])('and has the usage of a chunk with %s', async (_, last) => {
    expect(await read(answer(events(chunk({ content: 'hello' }), stop, last, '[DONE]')))).toMatchObject({
      ...HELLO,
      usage: { total_tokens: 7 },
    });
  });

  test('when it says something after a finish_reason it is waited for as before', async () => {
    const waits: (number | undefined)[] = [];
    const text = events(chunk({ content: 'a' }, {}, { finish_reason: 'stop' }), chunk({ content: 'b' }), '[DONE]');
    await read({ ...answer(text), endWithin: (ms) => waits.push(ms) });
    expect(waits).toEqual([2000, undefined]);
  });
});

describe('an error in the middle of a 200 is reported in the words of upstream', () => {
  const part = event(chunk({ role: 'assistant', content: 'part' }));

  test.each<[string, string, string]>([
    ['an object', event({ error: { message: 'model not found', type: 'x' } }), 'model not found'],
    ['named', `event: error\n${event({ error: { message: 'model not found' } })}`, 'model not found'],
    ['named, without the word', `event: error\ndata: {"message":"model not found"}\n\n`, 'model not found'],
    ['named, as a bare text', 'event: error\ndata: model not found\n\n', 'model not found'],
    ['a text', event({ error: 'model not found' }), 'model not found'],
    ['a list', event({ error: ['model not found'] }), 'model not found'],
    ['inside of another', event({ error: { error: { msg: 'model not found' } } }), 'model not found'],
    ['known by its type', event({ type: 'error', message: 'model not found' }), 'model not found'],
    ['known by its object', event({ object: 'error', message: 'model not found' }), 'model not found'],
    ['a mere yes', event({ error: true, message: 'model not found' }), 'model not found'],
    ['a code', event({ code: -1, msg: 'model not found' }), 'model not found'],
    ['a code in words', event({ code: 'ModelNotFound', message: 'model not found' }), 'model not found'],
    ['beside choices', event(chunk({ content: '' }, { error: { message: 'model not found' } })), 'model not found'],
    ['beside choices that say something', event(chunk({ content: 'x' }, { error: 'model not found' })), 'model not found'],
    ['beside a finish_reason', event(chunk({}, { error: 'model not found' }, { finish_reason: 'error' })), 'model not found'],
    [
      'inside of a choice',
      event(chunk({ content: '' }, {}, { error: { code: 502, message: 'model not found' } })),
      'model not found',
    ],
    ['in an envelope', event({ code: 0, data: { error: { message: 'model not found' } } }), 'model not found'],
    ['under another name', event({ errors: [{ message: 'model not found' }] }), 'model not found'],
    ['under another name, with a code', event({ errcode: 1, errmsg: 'model not found' }), 'model not found'],
    ['a mere 1', event({ error: 1, message: 'model not found' }), 'model not found'],
    ['a remark that is known', event({ message: 'model not found' }), 'model not found'],
  ])('when it is %s', async (_, text, words) => {
    const error = await errorOf(answer(part + text));
    expect(error).toMatchObject({ outcome: 'refused', category: 'model', raw: words, message: `HTTP 200: ${words}` });
  });

  const overloaded = { error: { message: 'Overloaded', type: 'server_error' } };
  test.each<[string, string, boolean]>([
    ['before anything was said', event(overloaded), true],
    ['before anything was said, and plain', JSON.stringify(overloaded), true],
    ['behind a piece of the answer', part + event(overloaded), false],
    ['beside a piece of the answer', event(chunk({ content: 'x' }, overloaded)), false],
    ['beside a plain answer', JSON.stringify(completion(overloaded)), false],
  ])(
    'when its words are those of an overload, %s, it passes, and is free where nothing can have been made',
    async (_, text, busy) => {
      expect(await errorOf(answer(text))).toMatchObject({ outcome: 'refused', category: 'transient', retryable: true, busy });
    },
  );

  test('when only its code is known that counts', async () => {
    expect(await errorOf(answer(event({ error: { code: 'content_filter', message: 'x' } })))).toMatchObject({
      outcome: 'refused',
      category: 'moderation',
    });
  });

  test('when nothing in it is known its fields are its words', async () => {
    expect(await errorOf(answer(part + event({ error: { status: 529 } })))).toMatchObject({
      outcome: 'refused',
      raw: '{"status":529}',
    });
  });

  test('when its line is no event then it is reported all the same', async () => {
    const text = `${part}${JSON.stringify({ error: { message: 'flux broke' } })}\n\n${event('[DONE]')}`;
    expect(await errorOf(answer(text))).toMatchObject({ outcome: 'refused', raw: 'flux broke' });
  });

  test('and beside the choices of a plain answer too', async () => {
    const error = await errorOf(answer(JSON.stringify(completion({ error: { message: 'model not found' } }))));
    expect(error).toMatchObject({ outcome: 'refused', category: 'model', message: 'HTTP 200: model not found' });
  });
});

describe('a stream without any finish_reason', () => {
  const pieces = events(chunk({ content: 'hel' }), chunk({ content: 'lo' }));
  const goesOn = events(chunk({ content: 'hel' }, {}, { finish_reason: 'stop' }), chunk({ content: 'lo' }));
  const cut = new GrsaiConnectionError({ code: 'connection_lost', outcome: 'unknown', message: 'reset' });

  test.each<[string, Response, string]>([
    ['and [DONE]', answer(`${pieces}data: [DONE]\n\n`), 'no_finish_reason'],
    ['and [DONE] on a body without a length', answer(`${pieces}data: [DONE]\n\n`, { headers: {} }), 'no_finish_reason'],
    ['and a clean end', answer(pieces), 'no_finish_reason'],
    ['and a clean end by its length', answer(pieces, { headers: { 'content-length': '1' } }), 'no_finish_reason'],
    [
      'of which another choice has one, and no [DONE]',
      answer(pieces + event(chunk({}, {}, { index: 1, finish_reason: 'stop' }))),
      'no_finish_reason',
    ],
    ['that breaks off', answer(pieces, { broken: cut }), 'connection_lost'],
    ['that ends where no end can be known', answer(pieces, { headers: {} }), 'unreadable_answer'],
    ['that goes on after one, and that breaks off', answer(goesOn, { broken: cut }), 'connection_lost'],
    ['that goes on after one, and that ends where no end can be known', answer(goesOn, { headers: {} }), 'unreadable_answer'],
    ['that ends in the middle of an event', answer(`${pieces}data: {"cho`), 'unreadable_answer'],
    ['that ends in the middle of a line', answer(`${JSON.stringify(chunk({ content: 'hel' }))}\n{"cho`), 'unreadable_answer'],
  ])('%s is told apart', async (_, response, code) => {
    expect(await errorOf(response)).toMatchObject({ code, outcome: 'unknown', retryable: true });
  });

  test('is whole when [DONE] comes and one of its choices has one', async () => {
    const text = pieces + events(chunk({ content: '!' }, {}, { index: 1, finish_reason: 'stop' }), '[DONE]');
    expect(await read(answer(text))).toMatchObject({
      choices: [{ message: { content: 'hello' } }, { message: { content: '!' } }],
    });
  });
});

test.each<[string, string]>([
  ['choices that are a text', events({ choices: 'hello' }, stop)],
  ['a choice that is a text', events({ choices: ['hello'] }, stop)],
  ['the piece of another dialect', events({ type: 'content_block_delta', delta: { text: 'hello' } }, stop)],
  ['a text that is no JSON', events('hello', stop)],
  ['a page among its events', `${events(chunk({ content: 'hel' }))}<html>\n<h1>502: Bad Gateway</h1></html>\n\n`],
  [
    'a page among its events, and more behind it',
    `${events(chunk({ content: 'hel' }))}<html></html>\n\n${events(stop, '[DONE]')}`,
  ],
  ['a text as JSON', events('"hello"', stop)],
  ['brackets without an end', events(`{"choices":[{"delta":{"content":${'['.repeat(6000)}${']'.repeat(6000)}}}]}`, stop)],
])('a stream with %s may lack something, and is no answer', async (_, text) => {
  expect(await errorOf(answer(text))).toMatchObject({ code: 'unreadable_answer', outcome: 'unknown' });
});

test.each([
  { success: false, message: 'the moon is full' },
  { status: 'error', msg: 'the moon is full' },
])('when an event says no in a field of its own then its words are those of the error: %j', async (value) => {
  for (const text of [events(value, '[DONE]'), JSON.stringify(value)])
    expect(await errorOf(answer(text))).toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('the moon is full'),
    });
});

test('when an object that is no answer has words then they are none', async () => {
  const echo = { prompt: JSON.stringify(completion()), request: { messages: [{ content: 'x' }] } };
  expect(await errorOf(answer(JSON.stringify(echo)))).toMatchObject({ outcome: 'unknown' });
});

test('when usage comes in an object of another name then it is kept', async () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2 };
  const text = events(chunk({ content: 'hello' }), stop, { type: 'usage', result: { choices: [], usage } });
  expect(await read(answer(text))).toMatchObject({ usage });
});
