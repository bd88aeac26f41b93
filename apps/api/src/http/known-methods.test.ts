import { expect, test } from 'vitest';
import { knownMethods } from './known-methods.ts';

const methods = knownMethods({
  paths: { '/v1/jobs': { get: {}, post: {} }, '/v1/jobs/{id}': { get: {}, delete: {} }, '/v1/jobs/{id}/images/{n}': { get: {} } },
});

test.each([
  ['/v1/jobs', ['GET', 'POST']],
  ['/V1/Jobs/', ['GET', 'POST']],
  ['/v1/jobs/job_1', ['GET', 'DELETE']],
  ['/v1/jobs/job_1/images/0', ['GET']],
  ['/v1/jobs/job_1/images', []],
  ['/v1/jobsx', []],
  ['/', []],
])('when %s is asked for then its methods are %j', (path, expected) => {
  expect(methods(path)).toEqual(expected);
});
