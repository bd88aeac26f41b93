import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { GrsaiConnectionError, GrsaiError, GrsaiInvalidRequestError, RAW_LIMIT } from './errors.ts';

const KEY = 'sk-00112233445566778899aabbccddeeff';

const error = new GrsaiConnectionError({
  code: 'connection_lost',
  outcome: 'unknown',
  message: `GET /x?apikey=${KEY}: reset`,
  raw: `{"apiKey":"${KEY}"} Bearer ${KEY}`,
  cause: new Error(`authorization: Bearer ${KEY}`),
  taskId: '6-secret',
});

test('nothing printable of an error shows a key, the cause included', () => {
  const printed = [
    error.message,
    error.raw,
    String(error),
    JSON.stringify(error),
    inspect(error),
    inspect({ error }),
    error.stack,
  ];
  for (const text of printed) expect(text).not.toContain('0011223344');
  expect(inspect(error)).toContain('[cause]');
});

test('the task id, a secret, stays out of what is logged', () => {
  expect(JSON.stringify(error) + inspect(error)).not.toContain('6-secret');
});

test('an error is known by class, name and code', () => {
  expect(error).toBeInstanceOf(GrsaiError);
  expect(error).toMatchObject({ name: 'GrsaiConnectionError', code: 'connection_lost', retryable: false });
});

test('a long text is kept to its limit', () => {
  const long = new GrsaiError({ code: 'refused', outcome: 'refused', message: 'x', raw: 'y'.repeat(RAW_LIMIT * 2) });
  expect(long.raw).toHaveLength(RAW_LIMIT);
});

test('an invalid request lists every problem in one message and was not sent', () => {
  const invalid = new GrsaiInvalidRequestError([
    { field: 'prompt', message: 'must be a text' },
    { field: 'imageSize', message: 'there is none' },
  ]);
  expect(invalid).toMatchObject({ code: 'invalid_request', outcome: 'not_sent', retryable: false });
  expect(invalid.message).toBe('invalid request: prompt: must be a text; imageSize: there is none');
});
