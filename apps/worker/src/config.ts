import {
  apiAddresses,
  apiAddressOr,
  COMMON_VARIABLES,
  choice,
  days,
  type Env,
  integer,
  integerOrAuto,
  listenHost,
  PORT_VARIABLES,
  REDIS_VARIABLES,
  readConfig,
  S3_VARIABLES,
  secret,
} from '@grsai-jobs/runtime';
import { z } from 'zod';

/** The environment of the worker. */
export const WorkerVariables = z.object({
  ...REDIS_VARIABLES,
  ...S3_VARIABLES,
  ...COMMON_VARIABLES,
  ...PORT_VARIABLES,
  GRSAI_API_KEY: secret(1).describe('the key of the upstream account'),
  GRSAI_BASE_URLS: apiAddresses(['https://grsaiapi.com', 'https://grsai.dakka.com.cn']).describe(
    'nodes of the Grsai API, in the order they are tried',
  ),
  GRSAI_CATALOGUE_URL: apiAddressOr(['auto', 'off'], 'auto').describe(
    'where the list of models and prices is read: auto is the Grsai API when GRSAI_BASE_URLS are, off is nowhere',
  ),
  GRSAI_RPM: integer(0, 1_000_000, 0).describe('calls and submits in a minute over all workers; 0 is off'),
  GRSAI_MAX_IN_FLIGHT: integer(0, 1_000_000, 200).describe('in-flight calls and living tasks over all workers; 0 is off'),
  GRSAI_CALL_RESERVE: integerOrAuto(0, 1_000_000).describe(
    'how many of GRSAI_MAX_IN_FLIGHT image tasks leave free for synchronous calls; auto is a tenth',
  ),
  HEALTH_HOST: listenHost('0.0.0.0').describe("address of the worker's /livez /readyz /metrics"),
  CALL_CONCURRENCY: integer(1, 10_000, 50).describe('synchronous calls at once: chat, images/generations'),
  SUBMIT_CONCURRENCY: integer(1, 10_000, 20).describe('image submits at once'),
  POLL_CONCURRENCY: integer(1, 10_000, 100).describe('polls of image tasks at once; waiting tasks hold no slot'),
  STORE_CONCURRENCY: integer(1, 1000, 16).describe('downloads into S3 at once; a host that is slow to answer has a quarter'),
  DELIVER_CONCURRENCY: integer(1, 10_000, 50).describe('webhook attempts at once'),
  INPUT_IMAGES: choice(['inline', 'link'], 'inline').describe(
    'inline, or link for a bucket that upstream can reach: large input images are sent as signed links',
  ),
  RETENTION_DAYS: days(0.001, 3650, 7).describe('ended jobs are erased after this many days; 0.5 is twelve hours'),
  QUEUE_LOCK_MS: integer(1000, 600_000, 15_000).describe('how long a lock on a queue entry holds without being renewed'),
  QUEUE_STALLED_MS: integer(500, 600_000, 5000).describe('how often entries of dead workers are looked for'),
});

const Checked = WorkerVariables.refine(
  ({ GRSAI_CALL_RESERVE: reserve, GRSAI_MAX_IN_FLIGHT: most }) => reserve === 'auto' || most === 0 || reserve < most,
  {
    when: ({ issues }) => issues.length === 0,
    path: ['GRSAI_CALL_RESERVE'],
    message: 'must be less than GRSAI_MAX_IN_FLIGHT, or no image task could ever run',
  },
);

export type WorkerConfig = z.output<typeof WorkerVariables>;

export const loadConfig = (env: Env): WorkerConfig => readConfig(Checked, env);
