import { readRedisAddress } from '@grsai-jobs/redis/address';
import { z } from 'zod';
import { httpAddress, ranges, redisAddress } from './addresses.ts';
import { choice, flag, integer, itemsOf } from './kinds.ts';

/** Variables that both apps read. */

const redisUrl = redisAddress().describe(
  'Redis that holds the records and queues, one server, Sentinels or a Cluster; must run with noeviction',
);

/** 32 bytes in base64 are 43 characters and one for the end, which base64url leaves out. */
const SECRETS_KEY = /^[A-Za-z0-9+/_-]{43}=?$/;

const secretsKey = z
  .string()
  .transform(itemsOf)
  .refine(
    (keys) => keys.length > 0 && keys.every((key) => SECRETS_KEY.test(key)),
    'must be base64 of 32 bytes (44 characters), or several of these separated by commas, newest first',
  )
  .transform((keys) => keys.join(','))
  .describe('encrypts the webhook secrets; make one with: openssl rand -base64 32');

export const REDIS_VARIABLES = {
  REDIS_URL: redisUrl,
  REDIS_PREFIX: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'must be 1 to 32 of a-z 0-9 -')
    .default('gj')
    .describe('first part of every key; two installations in one Redis need two'),
  REDIS_DURABILITY: choice(['memory', 'replica', 'disk'], 'memory').describe(
    'how long what was answered or paid for has to last: in memory, on a replica too (WAIT), or on disk (appendfsync always)',
  ),
};

export const S3_VARIABLES = {
  S3_BUCKET: z
    .string()
    .regex(
      /^([A-Za-z0-9][A-Za-z0-9._-]{1,254}|arn:[^\s]+)$/,
      'must be the name of the bucket alone: no s3://, no host, no slash, no folder (that is S3_PREFIX)',
    )
    .describe('bucket for results; credentials come by the AWS chain'),
  S3_ENDPOINT: httpAddress().optional().describe('address of a store other than AWS'),
  S3_PUBLIC_ENDPOINT: httpAddress()
    .optional()
    .describe('where callers reach the store, when that is another address than S3_ENDPOINT; signed links carry its host'),
  S3_REGION: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be the name of a region alone, as in us-east-1 or auto')
    .default('us-east-1')
    .describe('region of the bucket'),
  S3_FORCE_PATH_STYLE: flag(false).describe('true for stores without the bucket in the host name'),
  S3_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9/_-]*$/, 'must be a key prefix of letters, digits, / _ -, without the bucket')
    .default('grsai-jobs')
    .describe('put before every key of an object'),
  S3_CHECKSUMS: choice(['when_required', 'when_supported'], 'when_required').describe(
    'when_required fits all stores, when_supported adds checksums to every upload',
  ),
};

const S3Variables = z.object(S3_VARIABLES);

/** The options of the object store that these variables mean. */
export const s3Options = (config: z.output<typeof S3Variables>) => ({
  bucket: config.S3_BUCKET,
  ...(config.S3_ENDPOINT === undefined ? {} : { endpoint: config.S3_ENDPOINT }),
  ...(config.S3_PUBLIC_ENDPOINT === undefined ? {} : { publicEndpoint: config.S3_PUBLIC_ENDPOINT }),
  region: config.S3_REGION,
  forcePathStyle: config.S3_FORCE_PATH_STYLE,
  prefix: config.S3_PREFIX,
  checksums: config.S3_CHECKSUMS,
});

/** Both apps know both ports: neither calls the other, or itself, for a caller's URL. */
export const PORT_VARIABLES = {
  PORT: integer(0, 65_535, 8080).describe('port of the API'),
  HEALTH_PORT: integer(0, 65_535, 9090).describe("port of the worker's /livez /readyz /metrics; 0 is off"),
};

const OwnVariables = z.object({ ...PORT_VARIABLES, ...S3_VARIABLES, ...REDIS_VARIABLES });

/** What this installation consists of, as the egress guard refuses it (`OwnService` of packages/egress). */
export function ownServices(config: z.output<typeof OwnVariables>): { name: string; port: number; host?: string }[] {
  const listening = (['PORT', 'HEALTH_PORT'] as const).map((name) => ({ name, port: config[name] }));
  const redis = readRedisAddress(config.REDIS_URL).nodes.map((node) => ({ name: 'REDIS_URL', ...node }));
  const stores = (['S3_ENDPOINT', 'S3_PUBLIC_ENDPOINT'] as const).flatMap((name) => {
    const url = URL.parse(config[name] ?? '');
    if (url === null) return [];
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    return [{ name, host, port: Number(url.port || DEFAULT_PORTS[url.protocol]) }];
  });
  return [...listening, ...redis, ...stores].filter(({ port }) => port > 0);
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

export const COMMON_VARIABLES = {
  TENANT_MAX_IN_FLIGHT: integer(0, 1_000_000, 0).describe(
    'calls in flight and running tasks of one tenant, over all workers; 0 is no limit',
  ),
  TENANT_MAX_QUEUED: integer(0, 1_000_000_000, 0).describe(
    'jobs of one tenant that wait for their call or submit; 0 is no limit',
  ),
  TENANT_MAX_LIVE_JOBS: integer(0, 1_000_000_000, 200_000).describe('jobs of one tenant that have not ended; 0 is no limit'),
  SECRETS_KEY: secretsKey,
  EGRESS_ALLOW: ranges().describe('CIDRs that webhooks and downloads may reach although they are not public'),
  SHUTDOWN_TIMEOUT_S: integer(1, 600, 25).describe('seconds from SIGTERM to the end of the process'),
  BUILD_ID: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/,
      'must be 1 to 64 of letters, digits, . _ + -, beginning with a letter or a digit',
    )
    .optional()
    .describe('how this build is named in /readyz?verbose, metrics and logs; in a clone version and commit without it'),
  LOG_LEVEL: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], 'info').describe(
    'trace, debug, info, warn, error or fatal',
  ),
  LOG_PRETTY: flag(false).describe('true for people, false for JSON'),
};
