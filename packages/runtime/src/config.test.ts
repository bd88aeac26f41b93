import { expect, test } from 'vitest';
import { z } from 'zod';
import { apiAddresses, httpAddress, listenHost, proxies, ranges, redisAddress } from './addresses.ts';
import { ConfigError, readConfig } from './config.ts';
import { tidyForeign } from './environment.ts';
import { byteSize, choice, flag, integer, integerOrOff, secret } from './kinds.ts';
import { COMMON_VARIABLES, S3_VARIABLES } from './variables.ts';

const Schema = z.object({
  REDIS_URL: redisAddress().describe('Redis that holds the queues'),
  PORT: integer(0, 65_535, 8080),
  PRETTY: flag(false),
  EGRESS_ALLOW: ranges(),
  BODY_LIMIT: byteSize('1kb', '512mb', '20mb'),
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

test('when several variables are wrong then one error has them all and shows no value', () => {
  const read = () =>
    readConfig(Schema, { PORT: 'sixty', PRETTY: 'yes-please', BODY_LIMIT: 'huge', AWS_SECRET_ACCESS_KEY: '"a b"' });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(
    /5 problems.*AWS_SECRET_.*REDIS_URL: is required \(Redis that holds the queues\).*PORT.*PRETTY.*BODY_LIMIT/s,
  );
  expect(read).not.toThrow(/sixty|yes-please|huge|a b/);
});

const KEY = 'sk-0123456789abcdef01234567';
const BASE64 = Buffer.alloc(32, 7).toString('base64');

const KINDS = {
  address: httpAddress(),
  addresses: apiAddresses(['https://a.example']),
  bytes: byteSize('1kb', '512mb', '20mb'),
  bucket: S3_VARIABLES.S3_BUCKET,
  choice: choice(['inline', 'link'], 'inline'),
  flag: flag(false),
  host: listenHost('0.0.0.0'),
  integer: integer(1, 100_000, 25),
  off: integerOrOff(1, 100),
  prefix: S3_VARIABLES.S3_PREFIX,
  proxies: proxies(),
  ranges: ranges(),
  redis: redisAddress(),
  region: S3_VARIABLES.S3_REGION,
  secret: secret(24),
  secretsKey: COMMON_VARIABLES.SECRETS_KEY,
} satisfies Record<string, z.ZodType>;

const read = (kind: keyof typeof KINDS, value: string) =>
  readConfig(z.object({ NAME: KINDS[kind] as z.ZodType }), { NAME: value }).NAME;

test.each<[keyof typeof KINDS, string, unknown]>([
  ['secret', `${KEY}\n`, KEY],
  ['secret', `\uFEFF${KEY}`, KEY],
  ['secret', `\t ${KEY}\r\n`, KEY],
  ['secretsKey', `${BASE64}\r\n`, BASE64],
  ['secretsKey', ` ${BASE64} ,, ${BASE64},`, BASE64],
  ['flag', 'TRUE', true],
  ['flag', 'yes', true],
  ['flag', '1\n', true],
  ['flag', 'Off', false],
  ['flag', '0', false],
  ['integer', ' 0025 ', 25],
  ['off', 'OFF', 0],
  ['off', '0', 0],
  ['off', '100', 100],
  ['bytes', '20MB', 20 * 1024 * 1024],
  ['bytes', '1kb', 1024],
  ['choice', 'LINK', 'link'],
  ['ranges', ' 10.0.0.0/8, ,fd00::/8,,127.0.0.1,10.0.0.0/8,', ['10.0.0.0/8', 'fd00::/8', '127.0.0.1']],
  ['address', 'HTTP://LocalHost:9000/', 'http://localhost:9000'],
  ['address', 'https://x.supabase.co/storage/v1/s3', 'https://x.supabase.co/storage/v1/s3'],
  ['addresses', 'https://a.example/, https://a.example,,https://b.example:8443', ['https://a.example', 'https://b.example:8443']],
  ['addresses', 'http://gateway.internal/grsai/', ['http://gateway.internal/grsai']],
  ['redis', 'REDISS://default:p%40ss@h:6380/1', 'REDISS://default:p%40ss@h:6380/1'],
  ['redis', 'redis+sentinel://a,b:26379/jobs', 'redis+sentinel://a,b:26379/jobs'],
  ['host', '::', '::'],
  ['proxies', 'Loopback, 10.0.0.0/8', 'loopback,10.0.0.0/8'],
  ['proxies', '2', '2'],
  ['bucket', 'my-bucket.eu', 'my-bucket.eu'],
  ['bucket', 'arn:aws:s3:eu-west-1:123456789012:accesspoint/mine', 'arn:aws:s3:eu-west-1:123456789012:accesspoint/mine'],
])('when a %s can mean one thing only then it is taken: %j', (kind, value, meant) => {
  expect(read(kind, value)).toEqual(meant);
});

test.each<[keyof typeof KINDS, string, RegExp]>([
  ['redis', '"redis://h:6379"', /NAME: stands in quotes/],
  ['redis', "'redis://h:6379'", /NAME: stands in quotes/],
  ['secret', `“${KEY}”`, /stands in quotes/],
  ['secretsKey', `"${BASE64}"`, /stands in quotes/],
  ['integer', '"25"', /stands in quotes/],
  ['redis', 'NAME=redis://h', /begins with its own name/],
  ['secret', `\${ADMIN_API_KEY}`, /nobody has put its value for/],
  ['secret', '$(cat key)', /nobody has put its value for/],
  ['secret', `Bearer ${KEY}`, /without "Bearer"/],
  ['secret', `bearer\t${KEY}`, /control character inside|without "Bearer"/],
  ['secret', `Authorization: ${KEY}`, /words of an HTTP header/],
  ['secret', `${KEY} ${KEY}`, /visible ASCII without spaces; character 28 is not/],
  ['secret', 'ключ-0123456789abcdef01234567', /visible ASCII without spaces; character 1 is not/],
  ['secret', `sk–${KEY}`, /character 3 is not/],
  ['secret', `sk-\u200B${KEY}`, /invisible character/],
  ['secret', `sk-\u0000${KEY}`, /control character/],
  ['secret', `${KEY}\n${KEY}`, /line break/],
  ['secret', 'short', /at least 24/],
  ['secretsKey', '00'.repeat(32), /base64 of 32 bytes/],
  ['secretsKey', `${BASE64};${BASE64}`, /base64 of 32 bytes/],
  ['secretsKey', ',', /base64 of 32 bytes/],
  ['address', 'localhost:9000', /must begin with https:\/\//],
  ['address', '127.0.0.1:9000', /must begin with https:\/\//],
  ['address', 's3.eu-west-1.amazonaws.com', /must begin with https:\/\//],
  ['address', 'http:/localhost:9000', /two slashes/],
  ['address', 'https://http://localhost:9000', /twice/],
  ['address', 'http://user:secret@localhost:9000', /no password/],
  ['address', 'http://localhost:9000/?x=1', /leave the query out/],
  ['address', 'http://localhost:900000', /is no address/],
  ['address', 'http://a,http://b', /one address/],
  ['addresses', 'grsaiapi.com', /must begin with https:\/\//],
  ['addresses', 'https://a.example,b.example', /address 2 of 2 must begin with/],
  ['addresses', 'https://a.example/v1', /leave \/v1 .* out/],
  ['addresses', 'https://a.example/v1/', /leave \/v1 .* out/],
  ['addresses', 'https://a.example/v1/api/generate', /leave \/v1 .* out/],
  ['addresses', 'https://a.example/proxy/V1', /leave \/v1 .* out/],
  ['addresses', 'https://a.example?key=x', /leave the query out/],
  ['addresses', 'https://a.example https://b.example', /is no address/],
  ['addresses', 'https://a.example;https://b.example', /separate several with commas/],
  ['addresses', ' , ', /at least one address/],
  ['redis', 'localhost:6379', /must be a redis: or rediss: URL/],
  ['redis', 'http://localhost:6379', /must be a redis: or rediss: URL/],
  ['redis', '/var/run/redis.sock', /must be a redis: or rediss: URL/],
  ['redis', 'redis://', /is no address/],
  ['redis', 'redis://:p#ss@h:6379', /as %23/],
  ['redis', 'redis://:p/ss@h:6379', /is no address/],
  ['redis', 'redis://h:6379/jobs', /number of a database/],
  ['redis', 'redis://default:50%off@h', /as %25/],
  ['integer', '5_000', /in digits only/],
  ['integer', '1e3', /in digits only/],
  ['integer', '10s', /in digits only/],
  ['integer', '1,000', /in digits only/],
  ['integer', '-1', /in digits only/],
  ['integer', '２５', /in digits only/],
  ['integer', '0', /at least 1/],
  ['integer', '9'.repeat(20), /at most 100000/],
  ['integer', '9'.repeat(400), /at most 100000/],
  ['off', '101', /off or from 1 to 100/],
  ['off', 'none', /off or a whole number/],
  ['off', '1.5', /off or a whole number/],
  ['bytes', '20MiB', /digits and b, kb or mb/],
  ['bytes', '20', /digits and b, kb or mb/],
  ['bytes', '0mb', /from 1kb to 512mb/],
  ['bytes', '2000mb', /from 1kb to 512mb/],
  ['flag', 'ja', /true or false/],
  ['flag', 'constructor', /true or false/],
  ['flag', 'true,', /true or false/],
  ['choice', 'both', /one of: inline, link/],
  ['host', 'http://0.0.0.0', /without http:\/\//],
  ['host', 'localhost:8080', /a port/],
  ['host', '[::1]', /brackets/],
  ['host', '*', /host name or an IP address/],
  ['ranges', '10/8', /ranges of IP addresses/],
  ['ranges', '10.0.0.0/33', /ranges of IP addresses/],
  ['ranges', '10.0.0.0/8 127.0.0.1/32', /ranges of IP addresses/],
  ['ranges', 'internal.example', /ranges of IP addresses/],
  ['proxies', 'true', /off, a number/],
  ['proxies', '1000', /from 0 to 16/],
  ['proxies', '10.0.0.0/8;loopback', /off, a number/],
  ['bucket', 's3://mine', /name of the bucket alone/],
  ['bucket', 'mine/results', /name of the bucket alone/],
  ['bucket', 'https://mine.s3.amazonaws.com', /name of the bucket alone/],
  ['region', 'eu-west-1.amazonaws.com', /name of a region/],
  ['region', 'us east 1', /name of a region/],
  ['prefix', 'jobs for acme', /key prefix/],
  ['prefix', 's3://bucket/jobs', /key prefix/],
])('when a %s is %j then it is refused by name and not shown', (kind, value, why) => {
  const attempt = () => read(kind, value);
  expect(attempt).toThrow(why);
  expect(attempt).toThrow(/ {2}NAME: /);
  for (const shown of [KEY, BASE64, 'p#ss', 'secret@', '50%off']) expect(attempt).not.toThrow(shown);
});

test('when a file begins with a byte order mark then its first variable is found all the same', () => {
  expect(readConfig(z.object({ NAME: secret(1) }), { '\uFEFFNAME': 'x' }).NAME).toBe('x');
});

test('when what others read has a line end behind it then it is trimmed in place, and an empty one is not set', () => {
  const env: Record<string, string | undefined> = {
    AWS_SECRET_ACCESS_KEY: 'abc\n',
    AWS_SESSION_TOKEN: ' ',
    AWS_PROFILE: 'p',
    OTHER: 'x\n',
  };
  tidyForeign(env);
  expect(env).toEqual({ AWS_SECRET_ACCESS_KEY: 'abc', AWS_PROFILE: 'p', OTHER: 'x\n' });
});
