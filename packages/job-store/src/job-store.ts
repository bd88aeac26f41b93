import { randomUUID } from 'node:crypto';
import { QUEUES } from '@grsai-jobs/jobs';
import { createPrimary, createScripts, type Lasting, type Primary, type Redis } from '@grsai-jobs/redis';
import { type Answers, createAnswers } from './answer/answers.ts';
import { type Batches, createBatches } from './batch/batches.ts';
import { type Claims, createClaims } from './batch/claims.ts';
import { type Catalogue, createCatalogue } from './catalogue/catalogue.ts';
import { createFileBatches, type FileBatches } from './file/file-batches.ts';
import { createFiles, type Files } from './file/files.ts';
import { type CancelSignals, createCancelSignals } from './job/cancel-signals.ts';
import { createCreate } from './job/create.ts';
import { createErase, type Erase } from './job/erase.ts';
import { createFailures, type Failures } from './job/failures.ts';
import { createForgetKey } from './job/forget-key.ts';
import { createInputNotes, type InputNotes } from './job/input-notes.ts';
import { createJobList, type JobList } from './job/job-list.ts';
import { createJobReads, type JobReads } from './job/job-reads.ts';
import { createPaces, type Paces } from './job/paces.ts';
import { createStartCall } from './job/start-call.ts';
import { createSweeps, type Sweeps } from './job/sweeps.ts';
import { type Commit, createCommit } from './job/transition.ts';
import { createKeys } from './layout/keys.ts';
import type { LastingWrite } from './layout/lasting-write.ts';
import { LUA_LIBRARY } from './layout/lua-library.ts';
import { createSchema, type Schema } from './layout/schema.ts';
import { type BulkActions, createBulkActions } from './operation/bulk-actions.ts';
import { createOperations, type Operations } from './operation/operations.ts';
import { type Audit, createAudit } from './operator/audit.ts';
import { type Brakes, createBrakes } from './operator/brakes.ts';
import { createOverview, type Overview } from './operator/overview.ts';
import { createPauses, type Pauses } from './operator/pauses.ts';
import { createQueueSettings, type QueueSettings } from './operator/queue-settings.ts';
import { createWorkers, type Workers } from './operator/workers.ts';
import { createRecovery, type Recovery } from './recovery/recovery.ts';
import { createSuspects, type Suspects } from './recovery/suspects.ts';
import { createRooms, type Rooms } from './room/rooms.ts';
import { createRedisHealth, type RedisHealth } from './server/health.ts';
import { createStreams, type Streams } from './stream/streams.ts';
import { type ApiKeys, createApiKeys } from './tenant/api-keys.ts';
import { createTenantLimits, type TenantLimitStore } from './tenant/limits.ts';
import { createRateLimit, type RateLimit } from './tenant/rate-limits.ts';
import { createSpending, type Spending } from './tenant/spending.ts';
import { createTenants, type Tenants } from './tenant/tenants.ts';
import { createUsage, type Usage } from './tenant/usage.ts';
import { createDeliveries, type Deliveries } from './webhook/deliveries.ts';
import { createDeliveryList, type DeliveryList } from './webhook/delivery-list.ts';
import { createEndpoints, type Endpoints } from './webhook/endpoints.ts';

/** All that changes the state of a job, or which job a key stands for. */
export interface Transitions {
  create: ReturnType<typeof createCreate>;
  startCall: ReturnType<typeof createStartCall>;
  commit: Commit;
  forgetKey: ReturnType<typeof createForgetKey>;
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
  readonly answers: Answers;
  readonly batches: Batches;
  readonly claims: Claims;
  readonly files: Files;
  readonly fileBatches: FileBatches;
  readonly catalogue: Catalogue;
  readonly cancels: CancelSignals;
  readonly deliveries: Deliveries;
  readonly deliveryList: DeliveryList;
  readonly endpoints: Endpoints;
  readonly apiKeys: ApiKeys;
  readonly tenants: Tenants;
  readonly health: RedisHealth;
  /** Who takes the writes. */
  readonly primary: Primary;
  readonly recovery: Recovery;
  readonly rooms: Rooms;
  readonly suspects: Suspects;
  readonly pauses: Pauses;
  readonly paces: Paces;
  readonly schema: Schema;
  readonly sweeps: Sweeps;
  readonly streams: Streams;
  readonly usage: Usage;
  readonly spending: Spending;
  readonly operations: Operations;
  readonly tenantLimits: TenantLimitStore;
  readonly rateLimit: RateLimit;
}

/**
 * @param redis a connection of this process; whether it fails fast or waits is the role of the caller (packages/queue).
 * @param primary who takes the writes; left out: as INFO says.
 * @param lasting waits for what has to last; left out: as long as Redis keeps it.
 * @param scriptClock the time of transitions; left out: that of Redis.
 * @param newToken makes a token that no other process has; left out: random ones.
 * @param listenersCount PUBLISH tells how many listen, as it does not in a Cluster; left out: it does.
 * @param prefix `REDIS_PREFIX`; all keys stand under the tag `{prefix}`.
 */
export function createJobStore(o: {
  redis: Redis;
  primary?: Primary;
  lasting?: Lasting | undefined;
  prefix: string;
  clock: { now(): number };
  scriptClock?: { now(): number };
  newToken?: () => string;
  listenersCount?: boolean;
}): JobStore {
  const newToken = o.newToken ?? randomUUID;
  const keys = createKeys(o.prefix);
  const primary = o.primary ?? createPrimary(o.redis);
  const run = createScripts(o.redis, LUA_LIBRARY, { primary, ...(o.lasting ? { lasting: o.lasting } : {}) });
  const lasting: LastingWrite = async (write) => {
    // Before the write: what another primary has confirmed says nothing of it.
    const identity = await primary.identity();
    const reply = await write();
    await o.lasting?.(identity, reply);
    return reply;
  };
  const tenants = createTenants(o.redis, run, keys);
  return {
    transitions: {
      create: createCreate(run, keys, o.clock),
      startCall: createStartCall(run, keys, o.scriptClock),
      commit: createCommit(run, keys, newToken, o.scriptClock),
      forgetKey: createForgetKey(run, keys),
    },
    jobs: createJobReads(o.redis, run, keys),
    list: createJobList(o.redis, run, keys, o.clock, tenants),
    failures: createFailures(o.redis, keys),
    audit: createAudit(o.redis, run, keys),
    brakes: createBrakes(o.redis, run, keys, o.clock, tenants),
    bulk: createBulkActions(o.redis, run, keys, lasting),
    overview: createOverview(o.redis, keys, tenants, o.clock),
    queueSettings: createQueueSettings(o.redis, run, keys, o.clock),
    workers: createWorkers(o.redis, run, keys),
    erase: createErase(o.redis, run, keys, o.scriptClock),
    inputNotes: createInputNotes(o.redis, run, keys, o.clock, lasting, o.scriptClock),
    answers: createAnswers(o.redis, run, keys, {
      listenersCount: o.listenersCount ?? true,
      clock: o.clock,
      scriptClock: o.scriptClock,
    }),
    batches: createBatches(o.redis, run, keys, { clock: o.clock, tenants, newToken, lasting, scriptClock: o.scriptClock }),
    claims: createClaims(run, keys, newToken),
    files: createFiles(o.redis, run, keys),
    fileBatches: createFileBatches(o.redis, run, keys, lasting),
    catalogue: createCatalogue(o.redis, keys),
    cancels: createCancelSignals(o.redis, keys),
    deliveries: createDeliveries(o.redis, run, keys, newToken, o.scriptClock),
    deliveryList: createDeliveryList(o.redis, keys, o.clock, tenants),
    endpoints: createEndpoints(o.redis, keys, o.clock, lasting),
    apiKeys: createApiKeys(o.redis, run, keys, lasting),
    tenants,
    health: createRedisHealth(o.redis, keys),
    primary,
    recovery: createRecovery(o.redis, run, keys, o.scriptClock),
    rooms: createRooms(o.redis, run, keys, o.scriptClock),
    suspects: createSuspects(o.redis, keys, lasting),
    pauses: createPauses(o.redis, run, keys, o.clock, QUEUES),
    paces: createPaces(o.redis, run, keys, o.clock),
    schema: createSchema({ redis: o.redis, run, keys }),
    sweeps: createSweeps(o.redis, run, keys),
    streams: createStreams(o.redis, run, keys),
    usage: createUsage(o.redis, run, keys),
    spending: createSpending(o.redis, keys),
    operations: createOperations(o.redis, run, keys, newToken, lasting, o.scriptClock),
    tenantLimits: createTenantLimits(o.redis, run, keys, o.clock),
    rateLimit: createRateLimit(o.redis, keys.rateLimit),
  };
}
