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
  HOST: z.string().default('0.0.0.0'),
  PORT: integer(0, 65_535, 8080),
  BODY_LIMIT: byteSize('20mb'),
  TRUST_PROXY: z.string().default('off').describe('off, a number of hops, or a list of addresses'),
  RATE_LIMIT_RPM: integerOrOff(1, 1_000_000).describe('requests of one API key in a minute, or off'),
  ON_UNKNOWN_SUBMIT_IMAGE: z.enum(['fail', 'resubmit']).default('fail'),
  ON_UNKNOWN_SUBMIT_CHAT: z.enum(['fail', 'resubmit']).default('resubmit'),
});

export type ApiConfig = z.output<typeof ApiVariables>;

export const loadConfig = (env: Env): ApiConfig => readConfig(ApiVariables, env);
