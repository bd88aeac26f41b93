import {
  byteSize,
  bytesOrOff,
  COMMON_VARIABLES,
  choice,
  type Env,
  fieldNames,
  filePath,
  integer,
  integerOrOff,
  listenHost,
  PORT_VARIABLES,
  proxies,
  REDIS_VARIABLES,
  readConfig,
  S3_VARIABLES,
  secret,
} from '@grsai-jobs/runtime';
import { z } from 'zod';

/** The environment of the API. */
export const ApiVariables = z.object({
  ...REDIS_VARIABLES,
  ...S3_VARIABLES,
  ...COMMON_VARIABLES,
  ...PORT_VARIABLES,
  ADMIN_API_KEY: secret(24).describe('the first key: all scopes, tenant admin'),
  HOST: listenHost('0.0.0.0').describe('address to listen on'),
  BODY_LIMIT: byteSize('1kb', '512mb', '20mb').describe('largest request body'),
  BODY_BUDGET: byteSize('1mb', '65536mb', '256mb').describe(
    'bytes of request bodies that a process holds at a time; a quarter of it for one tenant',
  ),
  MAX_CONNECTIONS: integer(10, 1_000_000, 10_000).describe(
    'open connections of a process; without a proxy half of them for one address',
  ),
  TRUST_PROXY: proxies().describe('whose X-Forwarded-For is believed: off, a number of proxies, or their addresses'),
  RATE_LIMIT_RPM: integerOrOff(1, 1_000_000).describe('requests of one API key to /v1 in a minute; off or 0 is no limit'),
  TENANT_MAX_REDIS_BYTES: bytesOrOff('auto').describe(
    'what the jobs of one tenant may take in Redis: auto is a quarter of its maxmemory, off or 0 no limit',
  ),
  TENANT_MAX_STORED_BYTES: bytesOrOff('off').describe(
    'what inputs and results of its jobs may take in the bucket; off or 0 is no limit',
  ),
  DRAIN_S: integer(0, 300, 5).describe(
    'seconds from SIGTERM in which requests are still taken, so that a balancer can find out; part of SHUTDOWN_TIMEOUT_S',
  ),
  MODEL_PRICES: filePath().optional().describe('path of a JSON file with prices of models, in place of those that are known'),
  UPSTREAM_CHAT_FIELDS: fieldNames(['model', 'messages', 'stream', 'stream_options', 'metadata', 'grsai']).describe(
    'fields of /openai/v1/chat/completions that are passed on as they come, whatever this version makes of them; names with commas',
  ),
  METRICS_TOKEN: secret(16).optional().describe('bearer token that guards /metrics'),
  ON_UNKNOWN_SUBMIT_IMAGE: choice(['fail', 'resubmit'], 'fail').describe(
    'what an image job does when nobody can know whether its paid submit went through: fail or resubmit',
  ),
  ON_UNKNOWN_SUBMIT_CHAT: choice(['fail', 'resubmit'], 'resubmit').describe('the same for chat'),
});

const Checked = ApiVariables.refine(({ DRAIN_S, SHUTDOWN_TIMEOUT_S }) => DRAIN_S < SHUTDOWN_TIMEOUT_S, {
  when: ({ issues }) => issues.length === 0,
  path: ['DRAIN_S'],
  message: 'must be less than SHUTDOWN_TIMEOUT_S, in which open requests have to end too',
});

export type ApiConfig = z.output<typeof ApiVariables>;

export const loadConfig = (env: Env): ApiConfig => readConfig(Checked, env);
