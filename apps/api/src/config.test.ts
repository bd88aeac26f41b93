import { expect, test } from 'vitest';
import { type ApiVariables, loadConfig } from './config.ts';

const RIGHT = {
  REDIS_URL: 'redis://localhost:6379',
  S3_BUCKET: 'results',
  SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
  ADMIN_API_KEY: 'admin-key-0123456789abcdef',
};

/** Three values for each variable that people have written and that cannot be meant. */
const ODD: Readonly<Record<keyof typeof ApiVariables.shape, readonly [string, string, string]>> = {
  REDIS_URL: ['my-redis:6379', '"redis://localhost:6379"', 'redis://:p#ss@localhost'],
  REDIS_PREFIX: ['gj:', 'My Jobs', 'x'.repeat(33)],
  REDIS_DURABILITY: ['always', 'replicas', '1'],
  S3_BUCKET: ['s3://results', 'results/jobs', "'results'"],
  S3_ENDPOINT: ['minio.internal:9000', '"http://localhost:9000"', 'http://key:secret@localhost:9000'],
  S3_PUBLIC_ENDPOINT: ['files.internal', '//files.internal', 'https://files.internal?x=1'],
  S3_REGION: ['us east', 'https://s3.eu-west-1.amazonaws.com', '"auto"'],
  S3_FORCE_PATH_STYLE: ['path', '2', 'true false'],
  S3_PREFIX: ['jobs of acme', 's3://results/jobs', '"jobs"'],
  S3_CHECKSUMS: ['always', 'WHEN REQUIRED', 'true'],
  SECRETS_KEY: ['secret', '00'.repeat(32), `${RIGHT.SECRETS_KEY}\n${RIGHT.SECRETS_KEY}`],
  EGRESS_ALLOW: ['10/8', 'internal.example', '10.0.0.0/8;127.0.0.1'],
  SHUTDOWN_TIMEOUT_S: ['25s', '0', '1e3'],
  BUILD_ID: ['my build', '-1', 'x'.repeat(65)],
  LOG_LEVEL: ['warning', 'all', '30'],
  LOG_PRETTY: ['pretty', 'auto', 'True!'],
  ADMIN_API_KEY: ['Bearer admin-key-0123456789abcdef', 'short', 'admin–key-0123456789abcdef'],
  HOST: ['http://0.0.0.0', '0.0.0.0:8080', '*'],
  HEALTH_PORT: ['off', ':9090', '70000'],
  PORT: [':8080', '8_080', '65536'],
  BODY_LIMIT: ['20', '20MiB', '0mb'],
  BODY_BUDGET: ['256', '1gb', '512kb'],
  MAX_CONNECTIONS: ['10k', '9', 'off'],
  TRUST_PROXY: ['true', '-1', 'nginx'],
  RATE_LIMIT_RPM: ['600/min', '1,000', 'none'],
  TENANT_MAX_REDIS_BYTES: ['25%', '1.5gb', 'none'],
  TENANT_MAX_STORED_BYTES: ['auto', '10tb', '-1'],
  TENANT_MAX_IN_FLIGHT: ['off', '-1', '1e3'],
  TENANT_MAX_QUEUED: ['off', '-1', '1e3'],
  TENANT_MAX_LIVE_JOBS: ['off', '200_000', '1e5'],
  DRAIN_S: ['5s', '-1', '301'],
  MODEL_PRICES: ['{"nano-banana-2": {"credits": 1}}', 'https://prices.example/p.json', '/etc/grsai/'],
  UPSTREAM_CHAT_FIELDS: ['logit-bias', 'Tools', 'messages'],
  METRICS_TOKEN: ['Bearer 0123456789abcdef', 'short', '0123456789 abcdef'],
  ON_UNKNOWN_SUBMIT_IMAGE: ['retry', 'true', 'fail,resubmit'],
  ON_UNKNOWN_SUBMIT_CHAT: ['never', 'no', '"fail"'],
};

const rows = Object.entries(ODD).flatMap(([name, values]) => values.map((value) => [name, value] as const));

test.each(rows)('when %s is %j then the start is refused with its name and without its value', (name, value) => {
  const load = () => loadConfig({ ...RIGHT, [name]: value });
  expect(load).toThrow(new RegExp(`has 1 problem:\n {2}${name}: (?!is required)`));
  if (value.length > 8) expect(load).not.toThrow(value);
});

test('when an API would drain for longer than a stop may take then the start is refused', () => {
  const load = (DRAIN_S: string, SHUTDOWN_TIMEOUT_S: string) => () => loadConfig({ ...RIGHT, DRAIN_S, SHUTDOWN_TIMEOUT_S });
  expect(load('10', '10')).toThrow('DRAIN_S: must be less than SHUTDOWN_TIMEOUT_S');
  expect(load('9', '10')().DRAIN_S).toBe(9);
});

test('when everything is wrong at once then each variable is reported', () => {
  const env = Object.fromEntries(Object.entries(ODD).map(([name, [value]]) => [name, value]));
  for (const name of Object.keys(ODD)) expect(() => loadConfig(env)).toThrow(`\n  ${name}: `);
});

test('when each value has a line end behind it and spaces around it then all is as without', () => {
  const env = {
    ...RIGHT,
    S3_ENDPOINT: 'http://localhost:9000',
    PORT: '1',
    TRUST_PROXY: 'off',
    METRICS_TOKEN: '0123456789abcdef',
  };
  const mounted = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, `\uFEFF \t${value} \r\n`]));
  expect(loadConfig(mounted)).toEqual(loadConfig(env));
});
