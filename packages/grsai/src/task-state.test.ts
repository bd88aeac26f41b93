import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replyFrom } from '../test/support.ts';
import { GrsaiError } from './errors.ts';
import { isTerminal, readTask, type TaskState } from './task-state.ts';

const ID = '6-3d0c9f52-7a41-4e0b-9c55-1b2a60f4d7e1';
const URL_1 = 'https://file7.example.net/file/4b7a0c91.png';

const ask = (status: number, body: unknown): TaskState | GrsaiError =>
  readTask(replyFrom(status, typeof body === 'string' ? body : JSON.stringify(body)), ID);

function state(status: number, body: unknown): TaskState {
  const read = ask(status, body);
  if (read instanceof GrsaiError) throw read;
  return read;
}

function error(status: number, body: unknown): GrsaiError {
  const read = ask(status, body);
  if (!(read instanceof GrsaiError)) throw new Error(`expected an error, got ${JSON.stringify(read)}`);
  return read;
}

const succeeded = { id: ID, status: 'succeeded', progress: 100, results: [{ url: URL_1 }] };

describe('a task on the current API', () => {
  test('that runs has its progress', () => {
    expect(state(200, { id: ID, status: 'running', progress: 42 })).toMatchObject({
      id: ID,
      status: 'running',
      progress: 42,
      urls: [],
    });
  });

  test('that succeeded has its links', () => {
    expect(state(200, succeeded)).toEqual({
      id: ID,
      status: 'succeeded',
      progress: 100,
      outputs: [{ kind: 'link', url: URL_1 }],
      urls: [URL_1],
      raw: JSON.stringify(succeeded),
    });
  });

  test.each([200, 400])('that failed or broke the rules is an end, with HTTP %i too', (status) => {
    expect(state(status, { id: ID, status: 'failed', error: 'generate failed' })).toMatchObject({
      status: 'failed',
      error: 'generate failed',
      category: 'failed',
    });
    expect(state(status, { id: ID, status: 'violation', error: 'prompt rejected' })).toMatchObject({
      status: 'violation',
      category: 'moderation',
    });
  });

  test('that failed with a text of the policy is a violation, which is not refunded', () => {
    expect(state(400, { id: ID, status: 'failed', error: 'content_policy' })).toMatchObject({
      status: 'violation',
      category: 'moderation',
    });
  });

  test('with an error text while it runs is still running, and has no error', () => {
    const running = state(200, { id: ID, status: 'running', error: 'upstream busy, retrying' });
    expect(running.status).toBe('running');
    expect(running).not.toHaveProperty('error');
  });

  test.each(['reviewing', 'queued', 'QUEUED', 'pending', '…'])('with the unknown word %j is still running', (word) => {
    expect(state(200, { id: ID, status: word }).status).toBe('running');
  });

  test.each([
    ['missing', undefined],
    ['null', null],
    ['empty', []],
    ['without a url', [{}]],
    ['with url null', [{ url: null }]],
    ['with an empty url', [{ url: ' ' }]],
    ['with a url that is none', [{ url: 'file.png' }, { url: 'ftp://x/y' }]],
    ['of another type', 'none'],
    ['of words', ['a caption', 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08']],
  ])('that succeeded with results %s has no links and no error', (_, results) => {
    expect(state(200, { id: ID, status: 'succeeded', results })).toMatchObject({ status: 'succeeded', urls: [] });
  });

  test.each([`  ${URL_1}\n`, `\`${URL_1}\``, ` \`${URL_1}\` `, `"${URL_1}"`, `<${URL_1}>`])('has its link trimmed: %j', (url) => {
    expect(state(200, { id: ID, status: 'succeeded', results: [{ url }] }).urls).toEqual([URL_1]);
  });

  test.each([
    ['missing', {}, undefined],
    ['a text', { progress: '50%' }, 50],
    ['no number', { progress: 'half' }, undefined],
    ['above 100', { progress: 130 }, 100],
    ['below 0', { progress: -1 }, 0],
    ['0', { progress: 0 }, 0],
  ])('with progress %s is read', (_, fields, progress) => {
    expect(state(200, { id: ID, status: 'running', ...fields }).progress).toBe(progress);
  });

  test('with texts beside the images keeps them', () => {
    expect(
      state(200, {
        ...succeeded,
        results: [
          { url: URL_1, content: 'a lighthouse' },
          { url: URL_1, content: '' },
        ],
      }),
    ).toMatchObject({
      urls: [URL_1, URL_1],
      contents: ['a lighthouse'],
    });
  });
});

describe('a task in the shape of the legacy API', () => {
  const legacy = (data: unknown, code = 0) => ({ code, msg: 'success', data });

  test('is read out of its envelope', () => {
    expect(state(200, legacy({ ...succeeded, failure_reason: '', error: '' }))).toMatchObject({
      status: 'succeeded',
      urls: [URL_1],
    });
  });

  test('that failed by moderation is a violation', () => {
    expect(state(200, legacy({ id: ID, status: 'failed', failure_reason: 'output_moderation', error: '' }))).toMatchObject({
      status: 'violation',
      category: 'moderation',
      error: 'output_moderation',
    });
  });

  test('that failed with reason `error` is classed by its text', () => {
    expect(
      state(200, legacy({ id: ID, status: 'failed', failure_reason: 'error', error: 'google gemini timeout' })),
    ).toMatchObject({
      status: 'failed',
      category: 'transient',
    });
  });

  test('with the older `url` beside the results has its link', () => {
    expect(state(200, legacy({ id: ID, status: 'succeeded', url: URL_1, results: null })).urls).toEqual([URL_1]);
  });

  test('that does not exist, code -22, is missing', () => {
    expect(state(200, { code: -22, msg: 'task not exist', data: null })).toMatchObject({ id: ID, status: 'missing' });
  });
});

describe('an answer that is about no task', () => {
  test('a 404 in JSON is a missing task', () => {
    expect(state(404, { error: 'result not exist, valid for 2 hours' })).toMatchObject({
      id: ID,
      status: 'missing',
      error: 'result not exist, valid for 2 hours',
    });
  });

  test.each(['<html>404</html>', '404 page not found', ''])('a 404 of a front proxy (%j) is asked again', (text) => {
    expect(error(404, text)).toMatchObject({ retryable: true, status: 404 });
  });

  test.each([
    [200, ''],
    [200, '<html>hello</html>'],
    [200, '{"id":"6-3d0c9f52","stat'],
    [200, '{}'],
    [200, 'null'],
    [408, ''],
    [425, ''],
    [429, '{"error":"slow down"}'],
    [500, 'oops'],
    [502, '<html>bad gateway</html>'],
    [503, '{"error":"Upstream service is temporarily unavailable. Please retry later."}'],
  ])('HTTP %i with %j is asked again', (status, text) => {
    expect(error(status, text)).toMatchObject({ retryable: true, status });
  });

  test.each([
    [401, '{"error":"apikey error"}', 'auth'],
    [400, '{"id":"","status":"failed","error":"apikey error"}', 'auth'],
    [200, '{"code":-1,"msg":"apikey credits not enough"}', 'balance'],
    [200, 'apikey error', 'auth'],
  ])('HTTP %i with %j is a refusal', (status, text, category) => {
    expect(error(status, text)).toMatchObject({ outcome: 'refused', category, retryable: false });
  });
});

const word = fc.oneof(fc.constantFrom('running', 'succeeded', 'failed', 'violation', 'success', 'reviewing'), fc.string());
const task = fc.record(
  {
    id: fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
    status: fc.oneof(word, fc.jsonValue()),
    progress: fc.oneof(fc.double(), fc.jsonValue()),
    results: fc.oneof(fc.array(fc.record({ url: fc.oneof(fc.webUrl(), fc.string()), content: fc.jsonValue() })), fc.jsonValue()),
    error: fc.oneof(fc.string(), fc.jsonValue()),
    failure_reason: fc.oneof(fc.constantFrom('error', 'input_moderation'), fc.jsonValue()),
  },
  { requiredKeys: [] },
);
const inEnvelope = (value: unknown) =>
  fc.record({ code: fc.oneof(fc.constantFrom(0, -1, -22, '0'), fc.jsonValue()), msg: fc.jsonValue(), data: fc.constant(value) });
const body = fc.oneof(
  task,
  task.chain(inEnvelope),
  task.chain(inEnvelope).chain(inEnvelope),
  fc.jsonValue(),
  fc.dictionary(fc.string(), fc.jsonValue()),
);
const text = fc.oneof(
  body.map((value) => JSON.stringify(value)),
  body.map((value) => `data: ${JSON.stringify(value)}\n\n`),
  body.map((value) => `<html><body>${JSON.stringify(value)}</body></html>`),
  fc.tuple(body, fc.nat()).map(([value, at]) => JSON.stringify(value).slice(0, at % 40)),
  fc.string(),
);
const status = fc.oneof(fc.constantFrom(200, 400, 401, 404, 408, 413, 429, 500, 502, 503), fc.integer({ min: 100, max: 599 }));

test('any JSON, page, cut or envelope around a task gives a typed outcome, never a throw', () => {
  const STATES = ['running', 'succeeded', 'failed', 'violation', 'missing'];
  fc.assert(
    fc.property(status, text, (http, content) => {
      const read = readTask(replyFrom(http, content), ID);
      if (read instanceof GrsaiError) {
        expect(['refused', 'unknown']).toContain(read.outcome);
        return;
      }
      expect(STATES).toContain(read.status);
      expect(read.id).not.toBe('');
      expect(read.urls.every((url) => URL.canParse(url))).toBe(true);
      expect(read.status === 'violation').toBe(read.category === 'moderation');
      expect(isTerminal(read)).toBe(!['running', 'missing'].includes(read.status));
    }),
    { numRuns: 500 },
  );
});

test('an envelope around a task changes nothing about it', () => {
  const known = fc.record({
    id: fc.uuid(),
    status: fc.constantFrom('running', 'succeeded', 'failed', 'violation'),
    progress: fc.integer({ min: 0, max: 100 }),
    results: fc.array(fc.record({ url: fc.webUrl() }), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(known, (bare) => {
      const { raw: _a, ...plain } = state(200, bare);
      const { raw: _b, ...wrapped } = state(200, { code: 0, msg: 'success', data: bare });
      expect(wrapped).toEqual(plain);
    }),
  );
});
