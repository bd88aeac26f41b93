import { randomUUID } from 'node:crypto';
import { createEgress } from '@grsai-jobs/egress';
import { Grsai } from '@grsai-jobs/grsai';
import { createJobStore, redisTime, SCHEMA_VERSION, subscribe, watchSchema } from '@grsai-jobs/job-store';
import { createObjectStore } from '@grsai-jobs/object-store';
import { createConsumer, createMaintainer, createProducer, queuePrefix } from '@grsai-jobs/queue';
import { connectLasting, connectRedis, isCluster, requireRights, watchDisturbance } from '@grsai-jobs/redis';
import {
  buildId,
  buildMetrics,
  clockMetrics,
  createMetrics,
  createSyncedClock,
  type Logger,
  ownServices,
  type Service,
  s3Options,
  storeChecks,
  systemClock,
  systemTimers,
  throttledLog,
  watchChecks,
} from '@grsai-jobs/runtime';
import { createKeyring, createSecretBox, newSecret } from '@grsai-jobs/webhooks';
import { assembleWorker } from './assemble.ts';
import type { WorkerConfig } from './config.ts';
import { startHealth } from './health.ts';
import { startReseal } from './maintenance/reseal.ts';
import { createWorkerMetrics } from './metrics.ts';
import { createStoreProof } from './pauses/store-proof.ts';
import { upstreamChecks } from './upstream-checks.ts';

export interface BuiltWorker {
  /** Resolves with the reason when it must not go on. */
  mustStop: Promise<string>;
  stop: () => Promise<Error[]>;
}

/** Builds the worker from its configuration and starts it. The one place where what it takes from outside is made and closed. */
export async function buildWorker(config: WorkerConfig, log: Logger): Promise<BuiltWorker> {
  const timers = systemTimers;
  const metrics = createMetrics();
  const build = { id: config.BUILD_ID ?? buildId(), schema: SCHEMA_VERSION };
  buildMetrics(metrics, build);
  const onError = throttledLog(log, { event: 'redis.error' }, 'Redis: connection trouble');
  const prefix = config.REDIS_PREFIX;
  const [records, entries] = [`{${prefix}}`, queuePrefix(prefix)];
  const connect = (tag = records) => connectRedis(config.REDIS_URL, 'consumer', { onError, tag });
  const redis = await connect();
  await requireRights(redis, [records, entries]);
  const clock = createSyncedClock({ readTime: () => redisTime(redis), wall: systemClock, timers, onError });
  await clock.sync();
  clockMetrics(metrics, clock);
  const durable = await connectLasting(config.REDIS_URL, config.REDIS_DURABILITY, {
    onError,
    tag: records,
    key: `${records}:lasting`,
  });
  const store = createJobStore({ redis, lasting: durable.lasting, prefix, clock });
  await store.health.require(
    (facts) => log.info({ event: 'redis.facts', ...facts }, `Redis ${facts.version}, appendfsync ${facts.appendfsync}`),
    config.REDIS_DURABILITY,
  );
  await store.schema.open();
  const schema = watchSchema(store.schema, onError, timers);
  const queueRedis = isCluster(config.REDIS_URL) ? await connect(entries) : redis;
  const producer = createProducer({ redis: queueRedis, prefix, clock, onError });
  const objects = createObjectStore({ ...s3Options(config), clock });
  const egress = createEgress({ allow: config.EGRESS_ALLOW, own: ownServices(config) });
  const grsai = new Grsai({ apiKey: config.GRSAI_API_KEY, baseUrls: config.GRSAI_BASE_URLS, logger: log });
  const box = createSecretBox(config.SECRETS_KEY);
  const keyring = createKeyring({ store: store.tenants, box, newSecret, clock });
  const proof = createStoreProof(log);
  const subscriberRedis = await connect();
  const queues = {
    redis: queueRedis,
    prefix,
    clock,
    lockMs: config.QUEUE_LOCK_MS,
    stalledMs: config.QUEUE_STALLED_MS,
    roundTripMs: clock.roundTripMs,
    onError,
  };

  const worker = await assembleWorker(
    {
      clock,
      timers,
      random: Math.random,
      build: build.id,
      newToken: randomUUID,
      log,
      metrics: createWorkerMetrics(metrics),
      onError,
      store,
      disturbance: watchDisturbance([redis, queueRedis], timers.elapsed),
      producer,
      consumer: (name, handler, o) => createConsumer(name, handler, { ...queues, ...o }),
      maintainer: (tasks, o) => createMaintainer(tasks, { ...queues, ...o }),
      subscribe: (to) => subscribe({ ...to, redis: subscriberRedis, prefix, onError, timers }),
      objects,
      egress,
      grsai,
      keyring,
      proof,
    },
    config,
  );
  const checks = watchChecks(
    [
      ...storeChecks({
        health: store.health,
        clock,
        durability: config.REDIS_DURABILITY,
        schema,
        probe: () => objects.probe(proof.prove),
      }),
      ...upstreamChecks(grsai, worker.stopping),
    ],
    log,
  );
  const health = await startHealth(config, { checks, metrics, log });
  worker.start();
  const reseal = box.hasOlderKeys ? [startReseal({ tenants: store.tenants, keyring, box, log, stopping: worker.stopping })] : [];
  log.info(
    { event: 'worker.ready', worker: worker.id, health_port: health?.port, build: build.id, schema: build.schema },
    'ready',
  );

  const others: readonly (readonly Service[])[] = [
    [
      ...(health ? [health] : []),
      { name: 'queues', stop: () => producer.close() },
      { name: 'upstream', stop: () => grsai.close() },
      { name: 'egress', stop: () => egress.close() },
    ],
    [
      { name: 'redis', stop: async () => redis.disconnect() },
      { name: 'redis of the queues', stop: async () => queueRedis.disconnect() },
      { name: 'redis of what lasts', stop: async () => durable.disconnect() },
      { name: 'redis subscriber', stop: async () => subscriberRedis.disconnect() },
      { name: 'object store', stop: async () => objects.close() },
    ],
  ];
  return { mustStop: schema.mustStop, stop: () => worker.stop([schema, clock, checks, ...reseal], others) };
}
