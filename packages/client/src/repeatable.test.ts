import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isRepeatable, POSTS } from './repeatable.ts';

const document = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>;
};
const posts = Object.entries(document.paths).flatMap(([path, { post }]) => (post === undefined ? [] : [{ path, post }]));
const repeatOf = (path: string) => POSTS.find(([way]) => new RegExp(`^${way}$`).test(path))?.[1];

test('when openapi.json has a POST then it is said once whether it may be sent again, by its key where it takes one', () => {
  expect(posts.map(({ path }) => path).sort()).toEqual(POSTS.map(([way]) => way.replaceAll('[^/]+', '{id}')).sort());
  const takesKey = posts.filter(({ post }) => post.parameters?.some(({ name }) => name === 'Idempotency-Key'));
  expect(takesKey.map(({ path }) => path)).toEqual(posts.map(({ path }) => path).filter((path) => repeatOf(path) === 'key'));
});

test.each([
  ['GET', '/v1/jobs', {}, true],
  ['PUT', '/admin/v1/tenants/acme', {}, true],
  ['DELETE', '/v1/jobs/job_1', {}, true],
  ['POST', '/v1/jobs', {}, false],
  ['POST', '/v1/jobs', { idempotencyKey: 'order-A-17' }, true],
  ['POST', '/v1/jobs/job_1/cancel', {}, true],
  ['POST', '/v1/jobs/job_1/retry', { json: { mode: 'resubmit' } }, false],
  ['POST', '/v1/jobs/job_1/retry', { json: { run: 1 } }, true],
  ['POST', '/v1/jobs/job_1/retry', { idempotencyKey: 'order-A-17' }, false],
  ['POST', '/v1/webhook-secret/rotate', { idempotencyKey: 'order-A-17' }, false],
  ['POST', '/v1/of-tomorrow', { idempotencyKey: 'order-A-17' }, false],
])('when %s %s is sent with %j then whether it may be sent again is %s', (method, path, o, repeatable) => {
  expect(isRepeatable(method, path, o)).toBe(repeatable);
});
