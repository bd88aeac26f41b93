import type { Redis } from 'ioredis';
import { type Batches, createBatches } from './batch/batches.ts';
import { type Claims, createClaims } from './batch/claims.ts';
import { type CancelSignals, createCancelSignals } from './job/cancel-signals.ts';
import { createCreate } from './job/create.ts';
import { createErase, type Erase } from './job/erase.ts';
import { createFailures, type Failures } from './job/failures.ts';
import { createInputNotes, type InputNotes } from './job/input-notes.ts';
import { createJobList, type JobList } from './job/job-list.ts';
import { createJobReads, type JobReads } from './job/job-reads.ts';
import { createPaces, type Paces } from './job/paces.ts';
import { createStartCall } from './job/start-call.ts';
import { createSweeps, type Sweeps } from './job/sweeps.ts';
import { type Commit, createCommit } from './job/transition.ts';
import { type BulkActions, createBulkActions } from './operation/bulk-actions.ts';
import { createOperations, type Operations } from './operation/operations.ts';
import { type Audit, createAudit } from './operator/audit.ts';
import { type Brakes, createBrakes } from './operator/brakes.ts';
import { createOverview, type Overview } from './operator/overview.ts';
import { createPauses, type Pauses } from './operator/pauses.ts';
import { createQueueSettings, type QueueSettings } from './operator/queue-settings.ts';
import { createWorkers, type Workers } from './operator/workers.ts';
import { createRedisHealth, type RedisHealth } from './redis/health.ts';
import { createKeys } from './redis/keys.ts';
import { createSchema, type Schema } from './redis/schema.ts';
import { createScripts } from './redis/scripts.ts';
import { type ApiKeys, createApiKeys } from './tenant/api-keys.ts';
import { createRateLimit, type RateLimit } from './tenant/rate-limits.ts';
import { createTenants, type Tenants } from './tenant/tenants.ts';
import { createUsage, type Usage } from './tenant/usage.ts';
import { createDeliveries, type Deliveries } from './webhook/deliveries.ts';
import { createDeliveryList, type DeliveryList } from './webhook/delivery-list.ts';
import { createEndpoints, type Endpoints } from './webhook/endpoints.ts';

/** Queues that can be paused for a reason (packages/queue has them all). */
const PAUSABLE = ['call', 'submit', 'poll', 'store', 'deliver', 'maintain'] as const;

/** All that changes the state of a job. */
export interface Transitions {
  create: ReturnType<typeof createCreate>;
  startCall: ReturnType<typeof createStartCall>;
  commit: Commit;
}

/** All that is kept in Redis about jobs, by what it is for. BullMQ's queues are not in here (packages/queue). */
export interface JobStore {
  readonly transitions: Transitions;
  readonly jobs: JobReads;
  readonly list: JobList;
  readonly failures: Failures;
  readonly audit: Audit;
  readonly brakes: Brakes;
  readonly bulk: BulkActions;
  readonly overview: Overview;
  readonly queueSettings: QueueSettings;
  readonly workers: Workers;
  readonly erase: Erase;
  readonly inputNotes: InputNotes;
  readonly batches: Batches;
  readonly claims: Claims;
  readonly cancels: CancelSignals;
  readonly deliveries: Deliveries;
  readonly deliveryList: DeliveryList;
  readonly endpoints: Endpoints;
  readonly apiKeys: ApiKeys;
  readonly tenants: Tenants;
  readonly health: RedisHealth;
  readonly pauses: Pauses;
  readonly paces: Paces;
  readonly schema: Schema;
  readonly sweeps: Sweeps;
  readonly usage: Usage;
  readonly operations: Operations;
  /** A limit of requests per minute for each API key; one is made for each limit that is configured. */
  rateLimit(perMinute: number): RateLimit;
}

/**
 * @param redis a connection of this process; whether it fails fast or waits is the role of the caller (packages/queue).
 * @param scriptClock the time of transitions; left out: that of Redis.
 * @param prefix `REDIS_PREFIX`; all keys stand under the tag `{prefix}`.
 */
export function createJobStore(o: {
  redis: Redis;
  prefix: string;
  clock: { now(): number };
  scriptClock?: { now(): number };
}): JobStore {
  const keys = createKeys(o.prefix);
  const run = createScripts(o.redis);
  const tenants = createTenants(o.redis, run, keys);
  return {
    transitions: {
      create: createCreate(run, keys, o.clock),
      startCall: createStartCall(run, keys, o.scriptClock),
      commit: createCommit(run, keys, o.scriptClock),
    },
    jobs: createJobReads(o.redis, run, keys),
    list: createJobList(o.redis, run, keys, tenants),
    failures: createFailures(o.redis, keys),
    audit: createAudit(o.redis, run, keys),
    brakes: createBrakes(o.redis, run, keys, o.clock, tenants),
    bulk: createBulkActions(o.redis, run, keys),
    overview: createOverview(o.redis, keys, tenants, o.clock),
    queueSettings: createQueueSettings(o.redis, run, keys, o.clock),
    workers: createWorkers(o.redis, run, keys),
    erase: createErase(o.redis, run, keys),
    inputNotes: createInputNotes(o.redis, run, keys, o.clock),
    batches: createBatches(o.redis, run, keys, o.clock, tenants),
    claims: createClaims(run, keys),
    cancels: createCancelSignals(o.redis, keys),
    deliveries: createDeliveries(o.redis, run, keys),
    deliveryList: createDeliveryList(o.redis, keys, tenants),
    endpoints: createEndpoints(o.redis, keys, o.clock),
    apiKeys: createApiKeys(o.redis, run, keys),
    tenants,
    health: createRedisHealth(o.redis, keys),
    pauses: createPauses(o.redis, run, keys, o.clock, PAUSABLE),
    paces: createPaces(o.redis, run, keys, o.clock),
    schema: createSchema({ redis: o.redis, run, keys }),
    sweeps: createSweeps(o.redis, run, keys),
    usage: createUsage(o.redis, run, keys),
    operations: createOperations(o.redis, run, keys),
    rateLimit: (perMinute) => createRateLimit(o.redis, keys, perMinute),
  };
}
