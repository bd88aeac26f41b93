import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replyFrom } from '../test/support.ts';
import { ackId } from './ack.ts';
import { GrsaiConnectionError, GrsaiError } from './errors.ts';
import { refusal } from './refusal.ts';

const HTML = '<!doctype html><html><body>unauthorized: nginx</body></html>';

describe('what a submit that made no id was (upstream.md §11.3)', () => {
  test.each<[string, number, string, object]>([
    ['200 empty', 200, '', { outcome: 'unknown', code: 'unreadable_answer', needsKeyProbe: true, retryable: false }],
    ['200 JSON without an id', 200, '{"code":0,"msg":"success"}', { outcome: 'unknown', needsKeyProbe: true }],
    ['200 with an empty id', 200, '{"id":"","status":"running"}', { outcome: 'unknown', needsKeyProbe: true }],
    ['200 HTML', 200, HTML, { outcome: 'unknown', needsKeyProbe: false, category: 'unknown' }],
    ['200 cut short', 200, '{"id":"6-3d0c', { outcome: 'unknown', needsKeyProbe: false, category: 'unknown' }],
    ['200 cut short in a known text', 200, '{"id":"","error":"apikey error', { outcome: 'unknown', category: 'unknown' }],
    ['200 with another text', 200, 'hello', { outcome: 'unknown', needsKeyProbe: false }],
    ['200 with a known text', 200, 'apikey error', { outcome: 'refused', category: 'auth' }],
    ['200 with a code', 200, '{"code":-1,"msg":"model not found"}', { outcome: 'refused', category: 'model' }],
    ['200 with a code alone', 200, '{"code":-7,"msg":""}', { outcome: 'refused', category: 'unknown', retryable: false }],
    ['200 task-shaped', 200, '{"id":"","status":"failed","error":"apikey error"}', { outcome: 'refused', category: 'auth' }],
    [
      '200 that says no in its own field',
      200,
      '{"success":false,"message":"the moon is full"}',
      { outcome: 'refused', category: 'unknown', retryable: false },
    ],
    [
      '200 whose call failed',
      200,
      '{"status":"error","msg":"insufficient credits"}',
      { outcome: 'refused', category: 'balance' },
    ],
    ['200 that says no without a word', 200, '{"success":false}', { outcome: 'unknown', needsKeyProbe: true }],
    ['400 error', 400, '{"error":"insufficient credits"}', { outcome: 'refused', category: 'balance', retryable: false }],
    [
      '400 error.message',
      400,
      '{"error":{"message":"generation failed"}}',
      { outcome: 'refused', category: 'failed', retryable: true },
    ],
    [
      '400 task-shaped',
      400,
      '{"id":"","status":"failed","error":"model maintenance"}',
      { outcome: 'refused', category: 'model' },
    ],
    [
      '400 violation',
      400,
      '{"id":"9-a","status":"violation","error":"x"}',
      { outcome: 'refused', category: 'moderation', taskId: '9-a' },
    ],
    [
      '400 failed with an id',
      400,
      '{"id":"9-a","status":"failed","error":"google gemini timeout"}',
      { category: 'transient', taskId: '9-a' },
    ],
    ['400 HTML', 400, HTML, { outcome: 'refused', category: 'unknown', retryable: false }],
    ['401 empty', 401, '', { outcome: 'refused', category: 'auth' }],
    ['403 HTML', 403, HTML, { outcome: 'refused', category: 'unknown' }],
    ['413 HTML', 413, HTML, { outcome: 'refused', category: 'input', retryable: false }],
    ['429 empty', 429, '', { outcome: 'refused', category: 'rate_limited', code: 'rate_limited', retryable: true }],
    ['408', 408, '', { outcome: 'unknown', code: 'server_error', retryable: false }],
    ['500 text', 500, 'oops', { outcome: 'unknown', code: 'server_error', retryable: false }],
    ['502 HTML', 502, HTML, { outcome: 'unknown', code: 'server_error', category: 'unknown' }],
    [
      '503 JSON that calls itself passing',
      503,
      '{"error":"temporarily unavailable"}',
      { outcome: 'unknown', category: 'transient' },
    ],
    ['504 task-shaped without an id', 504, '{"id":"","status":"failed","error":"generate failed"}', { outcome: 'unknown' }],
    ['200 with a friendly remark', 200, '{"message":"ok"}', { outcome: 'unknown', needsKeyProbe: true }],
    ['200 with a remark that refuses', 200, '{"message":"Unauthorized"}', { outcome: 'refused', category: 'auth' }],
    ['400 with a remark', 400, '{"message":"insufficient balance"}', { outcome: 'refused', category: 'balance' }],
    ['500 JSON of a machine in between', 500, '{"error":"protocol violation"}', { outcome: 'unknown' }],
    ['500 text about the key', 500, 'apikey error', { outcome: 'unknown' }],
    ['500 about the key', 500, '{"error":"apikey error"}', { outcome: 'refused', category: 'auth' }],
    [
      '500 with an ended task',
      500,
      '{"id":"9-a","status":"failed","error":"generate failed"}',
      { outcome: 'refused', taskId: '9-a' },
    ],
  ])('%s', (_, status, text, want) => {
    expect(refusal(replyFrom(status, text))).toMatchObject(want);
  });

  test('5xx before the whole body was taken made nothing', () => {
    expect(refusal(replyFrom(503, HTML, { lost: 'not_sent' }))).toMatchObject({ outcome: 'not_sent', retryable: true });
  });

  test('a wait that upstream asks for is kept, and stands before that of the table', () => {
    expect(refusal(replyFrom(429, '', { retryAfterMs: 7000 })).retryAfterMs).toBe(7000);
    const text = '{"error":"Upstream rate limit exceeded. Please retry later."}';
    expect(refusal(replyFrom(400, text)).retryAfterMs).toBe(30_000);
    expect(refusal(replyFrom(400, text, { retryAfterMs: 5 })).retryAfterMs).toBe(5);
  });

  test('a broken connection in the middle of a 200 keeps its own code', () => {
    const cut = new GrsaiConnectionError({ code: 'timeout', outcome: 'unknown', message: 'too late' });
    expect(refusal(replyFrom(200, '{"id":', { cut }))).toMatchObject({
      code: 'timeout',
      outcome: 'unknown',
      needsKeyProbe: false,
    });
  });
});

describe('the id of a submit', () => {
  test.each([
    ['bare', '{"id":"6-a","status":"running"}'],
    ['data.id', '{"code":0,"msg":"success","data":{"id":"6-a"}}'],
    ['beside an empty data', '{"code":0,"id":"6-a","data":null}'],
    ['data itself', '{"code":0,"msg":"success","data":"6-a"}'],
    ['without a code', '{"data":{"id":"6-a"}}'],
    ['in an event', 'data: {"id":"6-a","status":"running"}\n\n'],
    ['after a keep-alive event', ': hi\n\ndata: {}\n\ndata: {"id":"6-a","status":"running"}\n\n'],
    ['of a task that failed at once', '{"id":"6-a","status":"failed","error":"generate failed"}'],
  ])('is found %s', (_, text) => {
    expect(ackId(replyFrom(200, text))).toBe('6-a');
  });

  test.each([
    [400, '{"id":"6-a","status":"failed","error":"x"}'],
    [400, '{"id":"req-1","error":"apikey error"}'],
    [200, '{"code":-1,"msg":"apikey credits not enough","data":{"id":"6-a"}}'],
    [200, '{"id":""}'],
    [200, '{"id":null,"status":"running"}'],
    [200, '[]'],
  ])('is none in HTTP %i %s', (status, text) => {
    expect(ackId(replyFrom(status, text))).toBeUndefined();
  });

  test('of a running task counts whatever the HTTP status says', () => {
    expect(ackId(replyFrom(502, '{"id":"6-a","status":"running"}'))).toBe('6-a');
  });
});

test('every answer has an error, and none of them throws or shows a key', () => {
  const key = 'sk-00112233445566778899aabbccddeeff';
  const text = fc.oneof(
    fc.string(),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc
      .record({ error: fc.jsonValue(), code: fc.jsonValue(), id: fc.jsonValue(), status: fc.jsonValue() })
      .map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), text, fc.boolean(), (status, body, query) => {
      const error = refusal(replyFrom(status, `${body}${key}`), { query });
      expect(error).toBeInstanceOf(GrsaiError);
      expect(JSON.stringify(error) + error.message).not.toContain(key);
    }),
  );
});
