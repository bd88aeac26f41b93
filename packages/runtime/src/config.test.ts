import { expect, test } from 'vitest';
import { z } from 'zod';
import { byteSize, ConfigError, flag, integer, integerOrOff, list, readConfig } from './config.ts';

const Schema = z.object({
  REDIS_URL: z.url().describe('Redis that holds the queues'),
  PORT: integer(0, 65_535, 8080),
  PRETTY: flag(false),
  EGRESS_ALLOW: list(),
  BODY_LIMIT: byteSize('20mb'),
});

test('when only the required variable is set then the rest has its defaults', () => {
  expect(readConfig(Schema, { REDIS_URL: 'redis://h', PORT: '' })).toEqual({
    REDIS_URL: 'redis://h',
    PORT: 8080,
    PRETTY: false,
    EGRESS_ALLOW: [],
    BODY_LIMIT: 20 * 1024 * 1024,
  });
});

test('when several variables are wrong then one error tells them all and shows no value', () => {
  const read = () => readConfig(Schema, { PORT: 'sixty', PRETTY: 'yes-please', BODY_LIMIT: 'huge' });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(/4 problems.*REDIS_URL: is required \(Redis that holds the queues\).*PORT.*PRETTY.*BODY_LIMIT/s);
  expect(read).not.toThrow(/sixty|yes-please|huge/);
});

test('when a number is out of its range then it is refused and not clipped', () => {
  expect(() => readConfig(Schema, { REDIS_URL: 'redis://h', PORT: '65536' })).toThrow(/at most 65535/);
});

test('when a list has spaces and empty items then only its items are kept', () => {
  expect(readConfig(Schema, { REDIS_URL: 'redis://h', EGRESS_ALLOW: ' 10.0.0.0/8 ,, 127.0.0.1/32' }).EGRESS_ALLOW).toEqual([
    '10.0.0.0/8',
    '127.0.0.1/32',
  ]);
});

test('when a limit is off, 0 or not set then it reads as 0, and what is out of its range is refused', () => {
  const read = (LIMIT?: string) => readConfig(z.object({ LIMIT: integerOrOff(1, 100) }), { LIMIT }).LIMIT;
  expect([read('off'), read('0'), read(), read('100')]).toEqual([0, 0, 0, 100]);
  for (const wrong of ['101', '-1', 'none', '1.5']) expect(() => read(wrong)).toThrow(/LIMIT: must be off or/);
});
