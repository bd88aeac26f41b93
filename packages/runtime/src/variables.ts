import { z } from 'zod';
import { flag, integer, list } from './config.ts';

/** Variables that both apps read (design §8). Names and defaults are fixed there. */

const redisUrl = z
  .string()
  .refine((value) => /^rediss?:\/\//.test(value) && URL.canParse(value), 'must be a redis: or rediss: URL')
  .describe('Redis that holds the records and queues; must run with noeviction');

const secretsKey = z
  .string()
  .refine(
    (value) => value.split(',').every((key) => Buffer.from(key.trim(), 'base64').length === 32),
    'must be base64 of 32 bytes, or several of these separated by commas, newest first',
  )
  .describe('encrypts the webhook secrets; make one with: openssl rand -base64 32');

export const REDIS_VARIABLES = {
  REDIS_URL: redisUrl,
  REDIS_PREFIX: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'must be 1 to 32 of a-z 0-9 -')
    .default('gj')
    .describe('first part of every key; two installations in one Redis need two'),
};

export const S3_VARIABLES = {
  S3_BUCKET: z.string().describe('bucket for results; credentials come by the AWS chain'),
  S3_ENDPOINT: z.url().optional().describe('address of a store other than AWS; signed links carry its host'),
  S3_REGION: z.string().default('us-east-1').describe('region of the bucket'),
  S3_FORCE_PATH_STYLE: flag(false).describe('true for stores without the bucket in the host name'),
  S3_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9/_-]*$/, 'must be a key prefix of letters, digits, / _ -')
    .default('grsai-jobs')
    .describe('put before every key of an object'),
  S3_CHECKSUMS: z
    .enum(['when_required', 'when_supported'])
    .default('when_required')
    .describe('when_required fits all stores, when_supported adds checksums to every upload'),
};

const S3Variables = z.object(S3_VARIABLES);

/** The options of the object store that these variables mean. */
export const s3Options = (config: z.output<typeof S3Variables>) => ({
  bucket: config.S3_BUCKET,
  ...(config.S3_ENDPOINT === undefined ? {} : { endpoint: config.S3_ENDPOINT }),
  region: config.S3_REGION,
  forcePathStyle: config.S3_FORCE_PATH_STYLE,
  prefix: config.S3_PREFIX,
  checksums: config.S3_CHECKSUMS,
});

export const COMMON_VARIABLES = {
  SECRETS_KEY: secretsKey,
  EGRESS_ALLOW: list().describe('CIDRs that webhooks and downloads may reach although they are not public'),
  SHUTDOWN_TIMEOUT_S: integer(1, 600, 25).describe('seconds from SIGTERM to the end of the process'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    .default('info')
    .describe('trace, debug, info, warn, error or fatal'),
  LOG_PRETTY: flag(false).describe('true for people, false for JSON'),
};
