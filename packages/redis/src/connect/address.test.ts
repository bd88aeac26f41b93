import { expect, test } from 'vitest';
import { readRedisAddress, redisAddressProblem } from './address.ts';

const a = { host: 'a', port: 26_379 };
const none = { username: undefined, password: undefined };

test.each([
  ['redis://h', { kind: 'single', tls: false, nodes: [{ host: 'h', port: 6379 }], db: 0, ...none }],
  ['REDISS://default:p%40ss@h:6380/1', { kind: 'single', tls: true, username: 'default', password: 'p@ss', db: 1 }],
  ['redis://:p@[::1]:7000', { nodes: [{ host: '::1', port: 7000 }], username: undefined, password: 'p' }],
  ['redis+sentinel://a,b:1/jobs', { kind: 'sentinel', nodes: [a, { host: 'b', port: 1 }], name: 'jobs', db: 0 }],
  [
    'rediss+sentinel://u:p@a/jobs?db=2&sentinelUsername=s&sentinelPassword=t%26',
    { tls: true, nodes: [a], username: 'u', password: 'p', db: 2, sentinel: { username: 's', password: 't&' } },
  ],
  [
    'redis+cluster://u:p@a:1,b',
    {
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 6379 },
      ],
      username: 'u',
    },
  ],
])('when the address is %s then it is read', (address, read) => {
  expect(redisAddressProblem(address)).toBeUndefined();
  expect(readRedisAddress(address)).toMatchObject(read);
});

test.each([
  ['redis+sentinel://secret@a,b', 'name of the primary'],
  ['redis+sentinel://:secret@a/jobs?db=x', 'number of a database'],
  ['redis+sentinel://:secret@a/jobs?tls=1', 'db, sentinelUsername, sentinelPassword'],
  ['redis+sentinel://:secret@/jobs', 'is no address'],
  ['redis+cluster://:secret@a/1', 'no database'],
  ['redis+cluster://:secret@a?db=1', 'must end before the ?'],
  ['redis+other://:secret@a', 'must be a redis:'],
  ['redis://:secret@a,b', 'names several servers'],
  ['redis://:secret@a:99999', 'is no address'],
])('when the address is %s then what is wrong is said, and no password', (address, problem) => {
  expect(redisAddressProblem(address)).toContain(problem);
  expect(redisAddressProblem(address)).not.toContain('secret');
});
