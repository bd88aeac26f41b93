import { expect, test } from 'vitest';
import { createEgress } from './egress.ts';
import { createOwnServices, type OwnService } from './own-services.ts';

const SERVICES: readonly OwnService[] = [
  { name: 'PORT', port: 8080 },
  { name: 'HEALTH_PORT', port: 9090 },
  { name: 'REDIS_URL', port: 6379, host: 'redis' },
  { name: 'S3_ENDPOINT', port: 9000, host: '127.0.0.1' },
  { name: 'S3_PUBLIC_ENDPOINT', port: 443, host: 'store.example' },
];
const NAMES: Readonly<Record<string, readonly string[]>> = { redis: ['10.0.0.7', 'fd00::7'], 'store.example': ['52.1.2.3'] };

const asked: string[] = [];
const services = createOwnServices({
  services: SERVICES,
  resolve: async (host) => {
    asked.push(host);
    return NAMES[host] ?? [];
  },
  interfaces: () => ['127.0.0.1', '10.0.0.5', '203.0.113.5', 'fe80::5%eth0', '2001:db8::5'],
});

test.each([
  ['127.0.0.1', 8080, 'PORT'],
  ['127.9.9.9', 8080, 'PORT'],
  ['0.0.0.0', 8080, 'PORT'],
  ['::1', 8080, 'PORT'],
  ['::', 8080, 'PORT'],
  ['0:0:0:0:0:0:0:1', 8080, 'PORT'],
  ['::ffff:127.0.0.1', 8080, 'PORT'],
  ['10.0.0.5', 9090, 'HEALTH_PORT'],
  ['::ffff:10.0.0.5', 9090, 'HEALTH_PORT'],
  ['203.0.113.5', 9090, 'HEALTH_PORT'],
  ['2001:db8::5', 9090, 'HEALTH_PORT'],
  ['fe80::5', 9090, 'HEALTH_PORT'],
  ['10.0.0.7', 6379, 'REDIS_URL'],
  ['fd00::7', 6379, 'REDIS_URL'],
  ['127.0.0.1', 9000, 'S3_ENDPOINT'],
  ['10.0.0.5', 9000, 'S3_ENDPOINT'],
])('when a connection goes to %s port %i then it is refused as %s', async (address, port, name) => {
  expect((await services.at(port))(address)).toBe(name);
});

test.each([
  ['127.0.0.1', 8081],
  ['10.0.0.6', 8080],
  ['192.0.2.1', 9090],
  ['10.0.0.5', 6379],
  ['10.0.0.7', 9000],
  // What else stands behind the public name of a store is not ours.
  ['52.1.2.3', 443],
  ['not an address', 8080],
])('when a connection goes to %s port %i then nothing speaks against it', async (address, port) => {
  expect((await services.at(port))(address)).toBeUndefined();
});

test('when the port is none of ours then no name is looked up', async () => {
  asked.length = 0;
  await services.at(3000);
  await services.at(8080);
  expect(asked).toEqual([]);
});

const egress = createEgress({ allow: ['0.0.0.0/0', '::/0'], own: SERVICES });
const problemOf = (url: string) => egress.checkUrl(url)?.message;

test.each([
  ['http://127.0.0.1:8080/v1/jobs', 'PORT'],
  ['http://127.0.0.1:9090//', 'HEALTH_PORT'],
  ['http://localhost:9090/livez', 'HEALTH_PORT'],
  ['http://api.localhost:8080/', 'PORT'],
  ['http://localhost.:8080/', 'PORT'],
  ['http://2130706433:8080/', 'PORT'],
  ['http://0x7f.1:9090/', 'HEALTH_PORT'],
  ['http://0:9090/', 'HEALTH_PORT'],
  ['http://[::1]:9090/', 'HEALTH_PORT'],
  ['http://[::ffff:7f00:1]:9090/', 'HEALTH_PORT'],
  ['http://redis:6379/', 'REDIS_URL'],
  ['http://REDIS.:6379/', 'REDIS_URL'],
  ['http://127.0.0.1:9000/bucket', 'S3_ENDPOINT'],
])('when EGRESS_ALLOW opens everything then %s is refused at intake all the same, as %s', (url, name) => {
  expect(problemOf(url)).toContain(`this service itself (${name})`);
  expect(() => egress.admit(url)).toThrow('this service itself');
  expect(() => egress.admitLink(url)).toThrow('this service itself');
});

test.each([
  'http://127.0.0.1:3000/hook',
  'http://127.0.0.1/hook',
  'http://redis:8000/',
  'https://store.example/result.png',
  'http://127.0.0.1:4100/files/result.png',
])('when EGRESS_ALLOW opens everything then %s passes', (url) => {
  expect(problemOf(url)).toBeUndefined();
});
