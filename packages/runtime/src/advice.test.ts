import { expect, test } from 'vitest';
import { redisAdvice, storeAdvice } from './advice.ts';

/** As the client of S3 throws it, inside the error of our object store. */
const thrown = (name: string, status?: number, message = 'of http://10.0.0.1/key: AKIAsecret') => {
  const cause = Object.assign(new Error(message), {
    name,
    ...(status === undefined ? {} : { $metadata: { httpStatusCode: status } }),
  });
  return Object.assign(new Error(`put grsai-jobs/.probe/1: ${name} ${message}`, { cause }), {
    name: 'ObjectStoreError',
    code: 'denied',
  });
};
const system = (code: string) => new Error('x', { cause: Object.assign(new Error(`connect ${code} 10.0.0.1:9000`), { code }) });

test.each([
  [thrown('NoSuchBucket', 404), 'S3_BUCKET: the store has no such bucket', '(HTTP 404, NoSuchBucket)'],
  [thrown('InvalidAccessKeyId', 403), 'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: the store refuses', 'InvalidAccessKeyId'],
  [thrown('SignatureDoesNotMatch', 403), 'AWS_ACCESS_KEY_ID', 'SignatureDoesNotMatch'],
  [thrown('ExpiredToken', 400), 'correct or renew', 'ExpiredToken'],
  [thrown('AccessDenied', 403), 'put, get and delete', 'AccessDenied'],
  [thrown('CredentialsProviderError'), 'no credentials were found', ''],
  [thrown('PermanentRedirect', 301), 'S3_REGION', ''],
  [thrown('AuthorizationHeaderMalformed', 400), 'S3_REGION', ''],
  [thrown('XMinioStorageFull', 507), 'full', ''],
  [thrown('RequestTimeTooSkewed', 403), 'clock', ''],
  [thrown('UnknownError', 404), 'S3_ENDPOINT, S3_BUCKET', '(HTTP 404)'],
  [thrown('UnknownError', 405), 'took no small object', '(HTTP 405)'],
  [thrown('ServiceUnavailable', 503), 'the store fails', ''],
  [system('ECONNREFUSED'), 'S3_ENDPOINT: the store cannot be reached', '(ECONNREFUSED)'],
  [system('ENOTFOUND'), 'cannot be reached', '(ENOTFOUND)'],
  [system('DEPTH_ZERO_SELF_SIGNED_CERT'), 'certificate', ''],
  [thrown('TimeoutError'), 'cannot be reached', ''],
  ['a text', 'took no small object', ''],
])('when the store throws %s then the advice names what to look at and shows no host or key', (error, advice, word) => {
  const text = storeAdvice(error);
  expect(text).toContain(advice);
  expect(text).toContain(word);
  expect(text).not.toMatch(/10\.0\.0\.1|AKIA|probe/);
});

test.each([
  ['MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.', 'is its disk full?'],
  ['MISCONF Errors writing to the AOF file: No space left on device', 'is its disk full?'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'maxmemory'],
  ["READONLY You can't write against a read only replica.", 'is a replica'],
  ['NOAUTH Authentication required.', 'user name or password'],
  ["NOPERM this user has no permissions to run the 'set' command", 'REDIS_PREFIX'],
  ['Connection is closed.', 'Connection is closed.'],
])('when Redis says %j then the advice says what it means', (message, advice) => {
  expect(redisAdvice(new Error(message))).toContain(advice);
});
