import { expect, test } from 'vitest';
import { fromSdk, ObjectStoreError } from './errors.ts';

const sdk = (name: string, httpStatusCode?: number): Error =>
  Object.assign(new Error('said'), { name, ...(httpStatusCode === undefined ? {} : { $metadata: { httpStatusCode } }) });

test.each([
  ['ECONNREFUSED', undefined, 'unavailable', true],
  ['TimeoutError', undefined, 'unavailable', true],
  ['SlowDown', 503, 'unavailable', true],
  ['InternalError', 500, 'unavailable', true],
  ['RequestTimeout', 400, 'unavailable', true],
  ['OperationAborted', 409, 'unavailable', true],
  ['TooManyRequests', 429, 'unavailable', true],
  ['AccessDenied', 403, 'denied', false],
  ['SignatureDoesNotMatch', 403, 'denied', false],
  ['NoSuchBucket', 404, 'denied', false],
  ['PermanentRedirect', 301, 'denied', false],
  ['InvalidRequest', 400, 'denied', false],
  ['CredentialsProviderError', undefined, 'denied', false],
  ['BadDigest', 400, 'corrupt', true],
  ['EntityTooLarge', 400, 'too_large', false],
  ['Unknown', 413, 'too_large', false],
  ['NoSuchKey', 404, 'not_found', false],
  ['NotFound', 404, 'not_found', false],
])('%s with status %s is %s, retryable %s', (name, status, code, retryable) => {
  expect(fromSdk(sdk(name, status), 'put k')).toMatchObject({ code, retryable });
});

test('the message says what was tried, and the original is kept', () => {
  const original = sdk('AccessDenied', 403);
  const error = fromSdk(original, 'put a/b');
  expect(error.message).toBe('put a/b: AccessDenied 403 said');
  expect(error.cause).toBe(original);
  expect(fromSdk(error, 'again')).toBe(error);
  expect(error).toBeInstanceOf(ObjectStoreError);
});
