import {
  byteSize,
  COMMON_VARIABLES,
  type Env,
  integer,
  integerOrOff,
  REDIS_VARIABLES,
  readConfig,
  S3_VARIABLES,
} from '@grsai-jobs/runtime';
import { z } from 'zod';

/** The environment of the API (design §8). */
export const ApiVariables = z.object({
  ...REDIS_VARIABLES,
  ...S3_VARIABLES,
  ...COMMON_VARIABLES,
  ADMIN_API_KEY: z.string().min(24, 'must have at least 24 characters').describe('the first key: all scopes, tenant admin'),
  HOST: z.string().default('0.0.0.0').describe('address to listen on'),
  PORT: integer(0, 65_535, 8080).describe('port to listen on'),
  BODY_LIMIT: byteSize('20mb').describe('largest request body'),
  TRUST_PROXY: z
    .string()
    .default('off')
    .describe('whose X-Forwarded-For is believed: off, a number of proxies, or their addresses'),
  RATE_LIMIT_RPM: integerOrOff(1, 1_000_000).describe('requests of one API key to /v1 in a minute; off or 0 is no limit'),
  METRICS_TOKEN: z.string().min(16, 'must have at least 16 characters').optional().describe('bearer token that guards /metrics'),
  ON_UNKNOWN_SUBMIT_IMAGE: z
    .enum(['fail', 'resubmit'])
    .default('fail')
    .describe('what an image job does when nobody can know whether its paid submit went through: fail or resubmit'),
  ON_UNKNOWN_SUBMIT_CHAT: z.enum(['fail', 'resubmit']).default('resubmit').describe('the same for chat'),
});

export type ApiConfig = z.output<typeof ApiVariables>;

export const loadConfig = (env: Env): ApiConfig => readConfig(ApiVariables, env);
