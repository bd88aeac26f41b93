import { expect, test } from 'vitest';
import { judgePersistence, judgeReplicas } from './health.ts';

const info = (fields: Record<string, string>) =>
  [
    '# Persistence',
    ...Object.entries({ loading: '0', aof_enabled: '1', ...fields }).map(([name, value]) => `${name}:${value}`),
    '',
  ].join('\r\n');

test.each([
  ['an append-only file', { aof_enabled: '1' }, 'yes', 'ok', ''],
  ['an append-only file of which CONFIG says nothing', { aof_enabled: '1' }, undefined, 'ok', ''],
  ['no append-only file', { aof_enabled: '0' }, 'no', 'warn', 'appendonly yes'],
  ['snapshots only', { aof_enabled: '0', rdb_last_bgsave_status: 'ok' }, 'no', 'warn', 'appendonly yes'],
  ['a managed Redis that refuses CONFIG', { aof_enabled: '0' }, undefined, 'unknown', 'does not say'],
  ['an append that failed', { aof_last_write_status: 'err' }, 'yes', 'warn', 'disk full'],
  ['a rewrite that failed', { aof_last_bgrewrite_status: 'err' }, 'yes', 'warn', 'aof_last_bgrewrite_status'],
  ['a snapshot that failed', { aof_enabled: '0', rdb_last_bgsave_status: 'err' }, undefined, 'warn', 'disk full'],
])('when Redis has %s then that is what is found', (_what, fields, appendonly, state, reason) => {
  const found = judgePersistence(info(fields), appendonly);
  expect(found).toMatchObject({ state });
  expect(JSON.stringify(found)).toContain(reason);
});

test('when INFO says nothing of files then nobody knows', () => {
  expect(judgePersistence('', undefined)).toMatchObject({ state: 'unknown' });
});

test.each([
  ['one, and writes only with one', '1', '1', 'ok', ''],
  ['one, and writes without one too', '1', '0', 'warn', 'min-replicas-to-write'],
  ['none', '0', '1', 'warn', 'nothing is accepted'],
  ['one, and refuses CONFIG', '1', undefined, 'unknown', 'does not say'],
])('when REDIS_DURABILITY is replica and Redis has %s then that is what is found', (_what, connected, least, state, reason) => {
  const found = judgeReplicas(`role:master\r\nconnected_slaves:${connected}\r\n`, least);
  expect(found).toMatchObject({ state });
  expect(JSON.stringify(found)).toContain(reason);
});
