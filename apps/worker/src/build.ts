import { createEgress } from '@grsai-jobs/egress';
import { Grsai } from '@grsai-jobs/grsai';
import { createCancelJob, createReopenJob } from '@grsai-jobs/job-actions';
import { createJobStore, subscribe, watchMemory, watchSchema } from '@grsai-jobs/job-store';
import { createObjectStore } from '@grsai-jobs/object-store';
import {
  type Consumer,
  connectRedis,
  createConsumer,
  createMaintainer,
  createProducer,
  entryId,
  type Handler,
  type QueueName,
} from '@grsai-jobs/queue';
import {
  createMetrics,
  fullJitter,
  type Logger,
  ownServices,
  type Service,
  s3Options,
  stopInOrder,
  storeChecks,
  systemClock,
  throttledLog,
  VERSION,
  watchChecks,
} from '@grsai-jobs/runtime';
import { createKeyring, createSecretBox, newSecret } from '@grsai-jobs/webhooks';
import type { WorkerConfig } from './config.ts';
import { startHealth } from './health.ts';
import { createPeriodicTasks, maintainConcurrency } from './maintenance/periodic-tasks.ts';
import { startReseal } from './maintenance/reseal.ts';
import { createWorkerMetrics } from './metrics.ts';
import { createAccountTrouble } from './pauses/account-trouble.ts';
import { createRefusalBrake } from './pauses/brake.ts';
import { askForMoney } from './pauses/credits.ts';
import { createPauseControl } from './pauses/pause-control.ts';
import { createStorageHealth } from './pauses/storage-health.ts';
import { createStoreProof } from './pauses/store-proof.ts';
import { createUpstreamHealth } from './pauses/upstream-health.ts';
import { watchPauses } from './pauses/watch.ts';
import { announceWorker } from './queues/announce.ts';
import { type Configured, createLiveSettings } from './queues/live-settings.ts';
import { createCancelableCalls } from './runner/cancelable-calls.ts';
import { countingStalls, onUnhandledError } from './runner/crashes.ts';
import { reportByWebhook } from './runner/publish.ts';
import { type PaidRunnerDeps, runFreeStage, runPaidStage } from './runner/runner.ts';
import { createCallStage } from './stages/call.ts';
import { createDeliverStage } from './stages/deliver.ts';
import { afterFailedCall } from './stages/failed-call.ts';
import { createHostSlots } from './stages/host-slots.ts';
import { createInputObjects } from './stages/input-objects.ts';
import { baseState, keyState, PROBE_LIMIT_MS } from './stages/key-probe.ts';
import { createLearnedPace } from './stages/learned-pace.ts';
import { createPollStage } from './stages/poll.ts';
import { createStoreStage } from './stages/store.ts';
import { createSubmitStage } from './stages/submit.ts';
import { createKnownTasks, taskFacts } from './stages/task-facts.ts';
import { upstreamChecks } from './upstream-checks.ts';
import { createDeliveries } from './webhooks/deliveries.ts';
import { createSlots } from './webhooks/slots.ts';
import { createTenantSecrets } from './webhooks/tenant-secrets.ts';

/** Synchronous calls are cut this long before the deadline of a stop, so that what they came to can still be written. */
const CUT_BEFORE_MS = 4000;

export interface BuiltWorker {
  /** Resolves with the reason when it must not go on. */
  mustStop: Promise<string>;
  stop: () => Promise<Error[]>;
}

/** Builds the worker from its configuration and starts its stages. The one place where its parts are made and closed. */
export async function buildWorker(config: WorkerConfig, log: Logger): Promise<BuiltWorker> {
  const clock = systemClock;
  const metrics = createMetrics();
  const onError = throttledLog(log, { event: 'redis.error' }, 'Redis: connection trouble');
  const redis = await connectRedis(config.REDIS_URL, 'consumer', { onError });
  const store = createJobStore({ redis, prefix: config.REDIS_PREFIX, clock });
  await store.health.require((facts) =>
    log.info({ event: 'redis.facts', ...facts }, `Redis ${facts.version}, appendfsync ${facts.appendfsync}`),
  );
  await store.schema.open();
  const schema = watchSchema(store.schema, onError);
  const producer = createProducer({ redis, prefix: config.REDIS_PREFIX, onError });
  const objects = createObjectStore(s3Options(config));
  const egress = createEgress({ allow: config.EGRESS_ALLOW, own: ownServices(config) });
  const grsai = new Grsai({ apiKey: config.GRSAI_API_KEY, baseUrls: config.GRSAI_BASE_URLS, logger: log });
  const box = createSecretBox(config.SECRETS_KEY);

  const stopping = new AbortController();
  const cutting = new AbortController();
  const memory = watchMemory(store, onError);
  const control = createPauseControl({ pauses: store.pauses, producer, clock, log });
  const upstream = createUpstreamHealth(control, log);
  const trouble = createAccountTrouble({
    control,
    probes: {
      key: () => keyState(grsai, stopping.signal),
      money: () => askForMoney(grsai, AbortSignal.any([stopping.signal, AbortSignal.timeout(PROBE_LIMIT_MS)])),
      base: (base) => baseState(grsai, base, stopping.signal),
    },
    clock,
    log,
  });
  const signLink = (key: string, ttlS: number) => objects.signedUrl(key, ttlS);
  const keyring = createKeyring({ store: store.tenants, box, newSecret, clock });
  const secrets = createTenantSecrets({ keyring, clock });
  const base = {
    store,
    producer,
    clock,
    log,
    metrics: createWorkerMetrics(metrics),
    shutdown: { stopping: stopping.signal, cutting: cutting.signal },
  };
  const deliveries = createDeliveries({
    ...base,
    egress,
    signLink,
    secretsOf: secrets.of,
    random: Math.random,
    slots: createSlots(() => deliver.concurrency()),
  });
  const deps = { ...base, deliveries, backoff: fullJitter(), memory };
  const brake = createRefusalBrake({ brakes: store.brakes, producer, clock, log });

  const consume = (name: QueueName, handler: Handler, concurrency: number): Consumer =>
    createConsumer(name, name === 'deliver' ? handler : countingStalls(deps, name, handler), {
      redis,
      prefix: config.REDIS_PREFIX,
      concurrency,
      lockMs: config.QUEUE_LOCK_MS,
      stalledMs: config.QUEUE_STALLED_MS,
      onError,
      onThrow: onUnhandledError(deps, name),
    });
  const tasks = createKnownTasks();
  const inFlight = createCancelableCalls();
  const subscriberRedis = await connectRedis(config.REDIS_URL, 'consumer', { onError });
  const inputs = createInputObjects(objects, config.INPUT_IMAGES);
  const pace = createLearnedPace(store.paces, onError);
  const configured: Configured = {
    call: config.CALL_CONCURRENCY,
    submit: config.SUBMIT_CONCURRENCY,
    poll: config.POLL_CONCURRENCY,
    store: config.STORE_CONCURRENCY,
    deliver: config.DELIVER_CONCURRENCY,
  };
  const deliver: Consumer = consume('deliver', createDeliverStage(deliveries), configured.deliver);
  const proof = createStoreProof(log);
  const outputs = { objects, keyPrefix: config.S3_PREFIX, storage: createStorageHealth(control, clock, log) };
  const runner: PaidRunnerDeps = {
    ...deps,
    limits: { maxInFlight: config.GRSAI_MAX_IN_FLIGHT, rpm: config.GRSAI_RPM },
    pauses: control,
    upstream,
    trouble,
    brake,
    inFlight,
    inputs,
    accepted: (job) => tasks.set(entryId(job), taskFacts(job)),
    afterFailedCall: (...failed) =>
      afterFailedCall(
        { ...deps, upstream, trouble, brake, probeKey: async () => (await keyState(grsai, stopping.signal)) !== 'refused' },
        ...failed,
      ),
  };
  const calls = { ...deps, ...outputs, grsai, inputs, pauses: control, notSent: brake.notSent, storeProven: proof.proven };
  const call = consume('call', runPaidStage(runner, createCallStage(calls)), configured.call);
  const submit = consume(
    'submit',
    runPaidStage(runner, createSubmitStage({ ...outputs, grsai, inputs, pace, clock })),
    configured.submit,
  );
  const pollStage = createPollStage({
    ...deps,
    grsai,
    tasks,
    pace,
    trouble,
    inputs,
    reportProgress: ({ callback, ...task }, percent) =>
      reportByWebhook(deps, { ...task, webhook: callback }, { type: 'job.progress', percent }),
  });
  const storeStage = createStoreStage({
    ...deps,
    ...outputs,
    grsai,
    egress,
    hosts: createHostSlots(() => storing.concurrency()),
  });
  const storing: Consumer = consume('store', runFreeStage(runner, storeStage), configured.store);
  const stages = [call, submit, consume('poll', runFreeStage(runner, pollStage), configured.poll), storing, deliver];

  const maintenanceDeps = {
    ...deps,
    cancelJob: createCancelJob(deps),
    reopenJob: createReopenJob(deps),
    objects,
    keyPrefix: config.S3_PREFIX,
    signLink,
    maxLiveJobs: config.TENANT_MAX_LIVE_JOBS,
  };

  const settings = createLiveSettings({ settings: store.queueSettings, control, consumers: stages, configured, log });
  await settings.apply();
  const applySettings = () => {
    settings.apply().catch(onError);
  };
  const subscriber = subscribe({
    redis: subscriberRedis,
    prefix: config.REDIS_PREFIX,
    on: { cancels: inFlight.cancel, secretChanges: secrets.changed, settings: applySettings },
    onSubscribed: () => {
      inFlight.catchUp(store.jobs).catch(onError);
      secrets.subscribed();
      applySettings();
    },
    onDisconnected: secrets.disconnected,
    onError,
  });
  const periodicTasks = createPeriodicTasks({ ...maintenanceDeps, grsai, egress, control, retentionDays: config.RETENTION_DAYS });
  const maintain = createMaintainer(Object.fromEntries(periodicTasks.map(({ name, run }) => [name, run])), {
    redis,
    prefix: config.REDIS_PREFIX,
    concurrency: maintainConcurrency(periodicTasks),
    lockMs: config.QUEUE_LOCK_MS,
    stalledMs: config.QUEUE_STALLED_MS,
    onError,
    onTaskFailed: (task, err) =>
      log.error({ event: 'maintain.failed', err, task }, 'a periodic task failed; its next run tries again'),
  });
  await producer.schedule(periodicTasks);
  const watch = watchPauses({ pauses: store.pauses, upstream, trouble, metrics: deps.metrics, log });

  const checks = watchChecks(
    [
      ...storeChecks({ health: store.health, schema, probe: () => objects.probe(proof.prove) }),
      ...upstreamChecks(grsai, stopping.signal),
    ],
    log,
  );
  const health = await startHealth(config, { checks, metrics, log });
  for (const consumer of [...stages, maintain]) if (consumer !== submit) consumer.start();
  void proof.first.then(() => stopping.signal.aborted || submit.start());
  const reseal = box.hasOlderKeys ? [startReseal({ tenants: store.tenants, keyring, box, log, stopping: stopping.signal })] : [];
  const announced = announceWorker({ workers: store.workers, consumers: stages, configured, version: VERSION, clock, log });
  log.info({ event: 'worker.ready', worker: announced.id, health_port: health?.port }, 'ready');

  const closing: readonly (readonly Service[])[] = [
    [...stages, deliveries, maintain, watch, memory, schema, checks, settings, subscriber, announced, ...reseal],
    [
      pace,
      ...(health ? [health] : []),
      { name: 'queues', stop: () => producer.close() },
      { name: 'upstream', stop: () => grsai.close() },
      { name: 'egress', stop: () => egress.close() },
    ],
    [
      { name: 'redis', stop: async () => redis.disconnect() },
      { name: 'redis subscriber', stop: async () => subscriberRedis.disconnect() },
      { name: 'object store', stop: async () => objects.close() },
    ],
  ];
  return {
    mustStop: schema.mustStop,
    stop: () => {
      const limitMs = config.SHUTDOWN_TIMEOUT_S * 1000;
      stopping.abort();
      setTimeout(() => cutting.abort(), Math.max(0, limitMs - CUT_BEFORE_MS)).unref();
      return stopInOrder(closing, limitMs);
    },
  };
}
