import type { Egress } from '@grsai-jobs/egress';
import { BASE_URLS, type GrsaiApi } from '@grsai-jobs/grsai';
import { createCancelJob, createReopenJob } from '@grsai-jobs/job-actions';
import { type JobStore, type Subscriber, type Subscription, watchMemory } from '@grsai-jobs/job-store';
import type { ObjectStore } from '@grsai-jobs/object-store';
import {
  type Consumer,
  type ConsumerOptions,
  entryId,
  type Handler,
  type MaintainerOptions,
  type MaintenanceTasks,
  type Producer,
  type QueueName,
} from '@grsai-jobs/queue';
import type { Disturbance } from '@grsai-jobs/redis';
import {
  createSliceQueue,
  fullJitter,
  type Logger,
  type Service,
  type SyncedClock,
  stopInOrder,
  type Timers,
} from '@grsai-jobs/runtime';
import { type Keyring, signingKey } from '@grsai-jobs/webhooks';
import type { WorkerConfig } from './config.ts';
import { catalogueAddresses } from './maintenance/catalogue.ts';
import { createPeriodicTasks, maintainConcurrency } from './maintenance/periodic-tasks.ts';
import type { WorkerMetrics } from './metrics.ts';
import { createAccountTrouble } from './pauses/account-trouble.ts';
import { createRefusalBrake } from './pauses/brake.ts';
import { askForMoney } from './pauses/credits.ts';
import { baseState, keyState, PROBE_LIMIT_MS } from './pauses/key-probe.ts';
import { createPauseControl } from './pauses/pause-control.ts';
import { createStorageHealth } from './pauses/storage-health.ts';
import type { StoreProof } from './pauses/store-proof.ts';
import { createUpstreamHealth } from './pauses/upstream-health.ts';
import { watchPauses } from './pauses/watch.ts';
import { announceWorker } from './queues/announce.ts';
import { countCallSlots } from './queues/call-slots.ts';
import { behindClock, holdOnWrongClock, taskBehindClock } from './queues/clock-guard.ts';
import { type Configured, createLiveSettings } from './queues/live-settings.ts';
import { createRecovering } from './recovery/recover.ts';
import { accountLimits } from './runner/account-limits.ts';
import { createCancelableCalls } from './runner/cancelable-calls.ts';
import { countingStalls, onUnhandledError, waitingForRedis } from './runner/crashes.ts';
import { createJournal } from './runner/journal.ts';
import { reportByWebhook } from './runner/publish.ts';
import { type PaidRunnerDeps, runFreeStage, runPaidStage } from './runner/runner.ts';
import { createTokenStreams } from './runner/token-streams.ts';
import { createCallStage } from './stages/call.ts';
import { createDeliverStage } from './stages/deliver.ts';
import { afterFailedCall } from './stages/failed-call.ts';
import { keptApart } from './stages/kept-apart.ts';
import { createHostSlots } from './stages/outputs/host-slots.ts';
import { createPollStage } from './stages/poll.ts';
import { createStoreStage } from './stages/store.ts';
import { createSubmitStage } from './stages/submit.ts';
import { createLearnedPace } from './stages/task/learned-pace.ts';
import { createKnownTasks, taskFacts } from './stages/task/task-facts.ts';
import { createInputObjects } from './stages/upstream/input-objects.ts';
import { createDeliveries } from './webhooks/deliveries.ts';
import { createSlots } from './webhooks/slots.ts';
import { createTenantSecrets } from './webhooks/tenant-secrets.ts';

/** What a worker is made of: everything that it shares with others, or that has an effect outside of it. */
export interface WorkerPorts {
  /** The time of Redis; and whether the clock of this machine agrees with it, without which nothing is begun. */
  clock: SyncedClock;
  timers: Timers;
  random: () => number;
  /** How this build is called. */
  build: string;
  /** Makes a token that no other process has. */
  newToken: () => string;
  log: Logger;
  metrics: WorkerMetrics;
  /** Trouble with Redis that the parts wait out by themselves. */
  onError: (error: Error) => void;
  store: JobStore;
  /** Of the connections that this worker writes with. */
  disturbance: Disturbance;
  producer: Producer;
  consumer: (name: QueueName, handler: Handler, o: Pick<ConsumerOptions, 'concurrency' | 'onThrow'>) => Consumer;
  maintainer: (tasks: MaintenanceTasks, o: Pick<MaintainerOptions, 'concurrency' | 'onTaskFailed'>) => Consumer;
  subscribe: (to: Pick<Subscription, 'on' | 'onSubscribed' | 'onDisconnected'>) => Subscriber;
  objects: ObjectStore;
  egress: Pick<Egress, 'post' | 'download'>;
  grsai: GrsaiApi;
  keyring: Keyring;
  /** Whether the object store has kept something for this process. */
  proof: Pick<StoreProof, 'proven' | 'first'>;
}

/** What of its configuration decides how a worker works. */
export type WorkerSettings = Pick<
  WorkerConfig,
  | 'CALL_CONCURRENCY'
  | 'SUBMIT_CONCURRENCY'
  | 'POLL_CONCURRENCY'
  | 'STORE_CONCURRENCY'
  | 'DELIVER_CONCURRENCY'
  | 'GRSAI_CATALOGUE_URL'
  | 'GRSAI_MAX_IN_FLIGHT'
  | 'GRSAI_CALL_RESERVE'
  | 'GRSAI_RPM'
  | 'INPUT_IMAGES'
  | 'QUEUE_LOCK_MS'
  | 'QUEUE_STALLED_MS'
  | 'REDIS_DURABILITY'
  | 'RETENTION_DAYS'
  | 'S3_PREFIX'
  | 'SHUTDOWN_TIMEOUT_S'
  | 'TENANT_MAX_IN_FLIGHT'
  | 'TENANT_MAX_LIVE_JOBS'
  | 'TENANT_MAX_QUEUED'
>;

export interface Worker {
  /** How it is known to operators. */
  readonly id: string;
  /** Fires when it begins to stop. */
  readonly stopping: AbortSignal;
  /** Takes entries from now on; image jobs only once the object store has kept something. */
  start(): void;
  /**
   * Takes no more entries, lets what is open end, and cuts calls shortly before the deadline. Then stops `others`, phase after phase.
   * Answers what did not stop.
   */
  stop(own: readonly Service[], others: readonly (readonly Service[])[]): Promise<Error[]>;
}

/** How often the periodic tasks are looked after: whether each of them comes again in its time. */
const SCHEDULE_EVERY_MS = 60_000;

/** Synchronous calls are cut this long before the deadline of a stop, so that what they came to can still be written. */
const CUT_BEFORE_MS = 4000;

/**
 * Puts the parts of a worker together: the stages, the runner, pauses, webhooks, periodic tasks and operations. It runs the same on the
 * real world (`build.ts`) and on a simulated one.
 */
export async function assembleWorker(p: WorkerPorts, config: WorkerSettings): Promise<Worker> {
  const { clock, timers, random, newToken, log, metrics, onError, store, producer, objects, egress, grsai, keyring, proof } = p;
  const stopping = new AbortController();
  const cutting = new AbortController();
  const probing = () => AbortSignal.any([stopping.signal, timers.timeout(PROBE_LIMIT_MS)]);
  const memory = watchMemory(store, onError, timers);
  const control = createPauseControl({ pauses: store.pauses, producer, clock, log });
  const upstream = createUpstreamHealth(control, log);
  const trouble = createAccountTrouble({
    control,
    probes: {
      key: () => keyState(grsai, probing()),
      money: () => askForMoney(grsai, probing()),
      base: (base) => baseState(grsai, base, probing()),
    },
    clock,
    log,
  });
  const signLink = (key: string, ttlS: number) => objects.signedUrl(key, ttlS);
  const secrets = createTenantSecrets({ keyring, keyOf: signingKey, clock, timers });
  const journal = createJournal(timers);
  const base = {
    journal,
    store,
    producer,
    clock,
    timers,
    random,
    newToken,
    log,
    metrics,
    shutdown: { stopping: stopping.signal, cutting: cutting.signal },
  };
  const deliveries = createDeliveries({
    ...base,
    egress,
    signLink,
    secretsOf: secrets.of,
    slots: createSlots(() => deliver.concurrency()),
  });
  const deps = { ...base, deliveries, backoff: fullJitter({ random }), memory, disturbance: p.disturbance };
  const brake = createRefusalBrake({ brakes: store.brakes, producer, clock, log });

  const consume = (name: QueueName, handler: Handler, concurrency: number): Consumer =>
    p.consumer(
      name,
      behindClock(clock, name === 'deliver' ? handler : waitingForRedis(deps, name, countingStalls(deps, name, handler))),
      {
        concurrency,
        onThrow: onUnhandledError(deps, name),
      },
    );
  const tasks = createKnownTasks(timers);
  const inFlight = createCancelableCalls();
  const inputs = createInputObjects({ objects, how: config.INPUT_IMAGES, timers, newToken });
  const pace = createLearnedPace(store.paces, onError, timers);
  const configured: Configured = {
    call: config.CALL_CONCURRENCY,
    submit: config.SUBMIT_CONCURRENCY,
    poll: config.POLL_CONCURRENCY,
    store: config.STORE_CONCURRENCY,
    deliver: config.DELIVER_CONCURRENCY,
  };
  const deliver: Consumer = consume('deliver', createDeliverStage(deliveries), configured.deliver);
  const outputs = { objects, timers, keyPrefix: config.S3_PREFIX, storage: createStorageHealth(control, clock, log) };
  const runner: PaidRunnerDeps = {
    ...deps,
    onRecovering: () => recovering.noticed(),
    limits: () => accountLimits(config, slots.all()),
    pauses: control,
    upstream,
    trouble,
    brake,
    inFlight,
    tokenStreams: createTokenStreams(base),
    inputs,
    accepted: (job) => tasks.set(entryId(job), taskFacts(job)),
    afterFailedCall: (...failed) =>
      afterFailedCall(
        { ...deps, upstream, trouble, brake, probeKey: async () => (await keyState(grsai, probing())) !== 'refused' },
        ...failed,
      ),
  };
  const calls = { ...deps, ...outputs, grsai, inputs, pauses: control, notSent: brake.notSent, storeProven: proof.proven };
  const call = consume('call', runPaidStage(runner, createCallStage(calls)), configured.call);
  const submit = consume(
    'submit',
    runPaidStage(runner, createSubmitStage({ ...outputs, grsai, inputs, pace, clock, random })),
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
  const storeStage = keptApart(
    createStoreStage({
      ...deps,
      ...outputs,
      slices: createSliceQueue({ now: timers.elapsed }),
      grsai,
      egress,
      hosts: createHostSlots(() => storing.concurrency(), timers),
    }),
    timers.elapsed,
  );
  const storing: Consumer = consume('store', runFreeStage(runner, storeStage), configured.store);
  const stages = [call, submit, consume('poll', runFreeStage(runner, pollStage), configured.poll), storing, deliver];

  const maintenanceDeps = {
    ...deps,
    cancelJob: createCancelJob(deps),
    reopenJob: createReopenJob(deps),
    objects,
    keyPrefix: config.S3_PREFIX,
    signLink,
    maxJobs: async (tenant: string) => {
      const { max_live_jobs: live, max_queued: queued } = await store.tenantLimits.recent(tenant);
      return { live: live ?? config.TENANT_MAX_LIVE_JOBS, queued: queued ?? config.TENANT_MAX_QUEUED };
    },
  };

  const settings = createLiveSettings({ settings: store.queueSettings, control, consumers: stages, configured, timers, log });
  await settings.apply();
  const applySettings = () => {
    settings.apply().catch(onError);
  };
  const subscriber = p.subscribe({
    on: { cancels: inFlight.cancel, secretChanges: secrets.changed, settings: applySettings },
    onSubscribed: () => {
      inFlight.catchUp(store.jobs).catch(onError);
      secrets.subscribed();
      applySettings();
    },
    onDisconnected: secrets.disconnected,
  });
  const periodicTasks = createPeriodicTasks({
    ...maintenanceDeps,
    limits: runner.limits,
    grsai,
    egress,
    control,
    catalogueAddresses: catalogueAddresses(config.GRSAI_CATALOGUE_URL, grsai.baseUrls, BASE_URLS),
    retentionDays: config.RETENTION_DAYS,
  });
  const guarded = periodicTasks.map(({ name, run }) => [name, taskBehindClock(clock, run)] as const);
  const maintain = p.maintainer(Object.fromEntries(guarded), {
    concurrency: maintainConcurrency(periodicTasks),
    onTaskFailed: (task, err) =>
      log.error({ event: 'maintain.failed', err, task }, 'a periodic task failed; its next run tries again'),
  });
  const schedule = () => {
    if (clock.trouble() === undefined) producer.schedule(periodicTasks).catch(onError);
  };
  if (clock.trouble() === undefined) await producer.schedule(periodicTasks);
  // Also what a worker with a wrong clock has put off: there is none by which the tasks would be missed.
  const endScheduling = timers.every(SCHEDULE_EVERY_MS, schedule);
  const clockWatch = holdOnWrongClock({
    ...{ clock, timers, log, onError },
    consumers: [...stages, maintain],
    onAgrees: schedule,
  });
  const watch = watchPauses({ pauses: store.pauses, upstream, trouble, metrics: deps.metrics, timers, log });

  const announced = announceWorker({
    workers: store.workers,
    consumers: stages,
    configured,
    version: p.build,
    clock,
    timers,
    newToken,
    log,
  });
  const slots = countCallSlots({
    workers: store.workers,
    call,
    id: announced.id,
    stalledMs: config.QUEUE_LOCK_MS + config.QUEUE_STALLED_MS,
    timers,
    onError,
  });
  const recovering = createRecovering({ ...deps, durability: config.REDIS_DURABILITY, workerId: () => announced.id });
  return {
    id: announced.id,
    stopping: stopping.signal,
    start() {
      recovering.noticed();
      for (const consumer of [...stages, maintain]) if (consumer !== submit) consumer.start();
      void proof.first.then(() => stopping.signal.aborted || submit.start());
    },
    stop(own, others) {
      const limitMs = config.SHUTDOWN_TIMEOUT_S * 1000;
      stopping.abort();
      timers.after(Math.max(0, limitMs - CUT_BEFORE_MS), () => cutting.abort());
      endScheduling();
      const first = [...stages, deliveries, maintain, clockWatch, watch, memory, slots, settings, subscriber, ...own];
      // As long as a call is in flight a new primary waits for what this worker knows of it.
      return stopInOrder(timers, [first, [pace, recovering, announced], ...others], limitMs);
    },
  };
}
