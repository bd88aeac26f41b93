import { COMMON_VARIABLES, REDIS_VARIABLES, S3_VARIABLES } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { loadConfig, WorkerVariables } from './config.ts';

const RIGHT = {
  REDIS_URL: 'redis://localhost:6379',
  S3_BUCKET: 'results',
  SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
  GRSAI_API_KEY: 'sk-0123456789abcdef',
};

/** Three values for each variable of the worker alone that people have written and that cannot be meant. */
const ODD: Readonly<Record<string, readonly [string, string, string]>> = {
  GRSAI_API_KEY: ['Bearer sk-0123456789abcdef', 'sk-0123 4567', '"sk-0123456789abcdef"'],
  GRSAI_BASE_URLS: ['grsai.dakka.com.cn', 'https://grsaiapi.com/v1', 'https://grsaiapi.com;https://grsai.dakka.com.cn'],
  GRSAI_CATALOGUE_URL: ['on', 'grsai.dakka.com.cn', 'https://grsaiapi.com/client/serverGrsai/getModelListV2'],
  GRSAI_RPM: ['off', '60/min', '-1'],
  GRSAI_CALL_RESERVE: ['10%', '-1', 'off'],
  GRSAI_MAX_IN_FLIGHT: ['unlimited', '5_000', '1e3'],
  HEALTH_HOST: ['http://127.0.0.1', '127.0.0.1:9090', '[::]'],
  HEALTH_PORT: ['off', ':9090', '70000'],
  PORT: ['off', ':8080', '70000'],
  CALL_CONCURRENCY: ['0', '5.5', '10001'],
  SUBMIT_CONCURRENCY: ['0', 'auto', '+5'],
  POLL_CONCURRENCY: ['0', '1e3', '0x10'],
  STORE_CONCURRENCY: ['0', '1001', '16 '.repeat(2)],
  DELIVER_CONCURRENCY: ['0', 'max', '50,'],
  INPUT_IMAGES: ['url', 'true', 'inline,link'],
  RETENTION_DAYS: ['7d', '0.0', '1,5'],
  QUEUE_LOCK_MS: ['15s', '999', '15_000'],
  QUEUE_STALLED_MS: ['5s', '499', '5e3'],
};

test('each variable of the worker alone has odd values below', () => {
  const shared = Object.keys({ ...REDIS_VARIABLES, ...S3_VARIABLES, ...COMMON_VARIABLES });
  expect(Object.keys(ODD).sort()).toEqual(
    Object.keys(WorkerVariables.shape)
      .filter((name) => !shared.includes(name))
      .sort(),
  );
});

const rows = Object.entries(ODD).flatMap(([name, values]) => values.map((value) => [name, value] as const));

test.each(rows)('when %s is %j then the start is refused with its name and without its value', (name, value) => {
  const load = () => loadConfig({ ...RIGHT, [name]: value });
  expect(load).toThrow(new RegExp(`has 1 problem:\n {2}${name}: (?!is required)`));
  if (value.length > 8) expect(load).not.toThrow(value);
});

test('when image tasks would have to leave all free then the start is refused', () => {
  const load = (GRSAI_CALL_RESERVE: string, GRSAI_MAX_IN_FLIGHT: string) => () =>
    loadConfig({ ...RIGHT, GRSAI_CALL_RESERVE, GRSAI_MAX_IN_FLIGHT });
  expect(load('20', '20')).toThrow('GRSAI_CALL_RESERVE: must be less than GRSAI_MAX_IN_FLIGHT');
  expect(load('19', '20')().GRSAI_CALL_RESERVE).toBe(19);
  expect(load('20', '0')().GRSAI_CALL_RESERVE).toBe(20);
});

test.each([
  ['7', 7],
  ['0.5', 0.5],
  ['0.001', 0.001],
  ['3650', 3650],
])('when RETENTION_DAYS is %s then it is that many days', (RETENTION_DAYS, days) => {
  expect(loadConfig({ ...RIGHT, RETENTION_DAYS }).RETENTION_DAYS).toBe(days);
});

test.each(['0.0009', '3651', '.5', '1.', '1e3'])('when RETENTION_DAYS is %s then the start is refused', (RETENTION_DAYS) => {
  expect(() => loadConfig({ ...RIGHT, RETENTION_DAYS })).toThrow('RETENTION_DAYS');
});

test('when an address ends in a slash, stands twice, or in capitals, then it is one address', () => {
  const GRSAI_BASE_URLS = 'https://grsaiapi.com/, HTTPS://GrsaiApi.com,,https://grsai.dakka.com.cn\n';
  expect(loadConfig({ ...RIGHT, GRSAI_BASE_URLS }).GRSAI_BASE_URLS).toEqual([
    'https://grsaiapi.com',
    'https://grsai.dakka.com.cn',
  ]);
});
