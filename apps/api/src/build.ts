import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEgress } from '@grsai-jobs/egress';
import {
  createJobStore,
  createStreamFeed,
  redisTime,
  SCHEMA_VERSION,
  startEventFeed,
  subscribe,
  watchSchema,
} from '@grsai-jobs/job-store';
import { createObjectStore } from '@grsai-jobs/object-store';
import { createProducer, queuePrefix } from '@grsai-jobs/queue';
import { connectLasting, connectRedis, isCluster, type Role, requireRights, type Silence } from '@grsai-jobs/redis';
import {
  buildId,
  buildMetrics,
  clockMetrics,
  createMetrics,
  createSliceQueue,
  createSyncedClock,
  type Logger,
  ownServices,
  type Service,
  s3Options,
  stopInOrder,
  storeChecks,
  systemClock,
  systemTimers,
  throttledLog,
  VERSION,
  watchChecks,
} from '@grsai-jobs/runtime';
import { createKeyring, createSecretBox, newSecret } from '@grsai-jobs/webhooks';
import { assembleUseCases } from './assemble.ts';
import type { ApiConfig } from './config.ts';
import { createApp } from './http/app.ts';
import { createAudited } from './http/audited.ts';
import { createAuth } from './http/auth.ts';
import { createBlankSecrets } from './http/blank-secrets.ts';
import { createBodyBudget } from './http/body-budget.ts';
import { createDrain, type Drain } from './http/drain.ts';
import { HEARTBEAT_MS } from './http/event-stream.ts';
import { createKeyCache } from './http/key-cache.ts';
import { createKeyEnds } from './http/key-ends.ts';
import { knownMethods } from './http/known-methods.ts';
import { createLastUsed } from './http/last-used.ts';
import { createLoginBrake } from './http/login-brake.ts';
import { createOpenRequests } from './http/open-requests.ts';
import { openApiDocument } from './http/openapi/document.ts';
import { limitRequests } from './http/rate-limit.ts';
import { routerOf } from './http/route.ts';
import { createLimitedServer, SERVER_LIMITS } from './http/server.ts';
import { createTenantBrake } from './http/tenant-brake.ts';
import { loadModelPrices } from './model-prices.ts';
import { adminPageRoutes } from './routes/admin-page.ts';
import { docsRoutes } from './routes/docs-page.ts';
import { ROUTES } from './routes/index.ts';
import { OPENS_AFTER_MS } from './routes/openai/chat-stream.ts';
import { openAiDialect } from './routes/openai/errors.ts';
import { OPENAI_ROUTES } from './routes/openai/index.ts';
import { createUlids } from './ulids.ts';
import { startPresence } from './use-cases/held-answers.ts';
import {
  catalogueMetrics,
  fairnessMetrics,
  queueMetrics,
  suspectMetrics,
  usageMetrics,
  webhookMetrics,
} from './use-cases/scraped-metrics.ts';

export interface Api {
  url: string;
  /** Resolves with the reason when it must not go on. */
  mustStop: Promise<string>;
  stop: () => Promise<Error[]>;
}

/**
 * Builds the API from its configuration and listens. The one place where its parts are made and closed.
 * @param silence how long Redis may take to answer, in place of what a producer waits
 */
export async function buildApi(config: ApiConfig, log: Logger, silence: Silence = {}): Promise<Api> {
  const timers = systemTimers;
  const prices = await loadModelPrices(config.MODEL_PRICES);
  const metrics = createMetrics();
  const build = { id: config.BUILD_ID ?? buildId(), schema: SCHEMA_VERSION };
  buildMetrics(metrics, build);
  const onError = throttledLog(log, { event: 'redis.error' }, 'Redis: connection trouble');
  const [records, entries] = [`{${config.REDIS_PREFIX}}`, queuePrefix(config.REDIS_PREFIX)];
  const connect = (role: Role, tag = records) =>
    connectRedis(config.REDIS_URL, role, { onError, tag, ...(role === 'producer' ? silence : {}) });
  const redis = await connect('producer');
  await requireRights(redis, [records, entries]);
  const clock = createSyncedClock({ readTime: () => redisTime(redis), wall: systemClock, timers, onError });
  await clock.sync();
  clockMetrics(metrics, clock);
  const durable = await connectLasting(config.REDIS_URL, config.REDIS_DURABILITY, {
    onError,
    tag: records,
    key: `${records}:lasting`,
  });
  const listenersCount = !isCluster(config.REDIS_URL);
  const store = createJobStore({ redis, lasting: durable.lasting, prefix: config.REDIS_PREFIX, clock, listenersCount });
  await store.health.require(
    (facts) => log.info({ event: 'redis.facts', ...facts }, `Redis ${facts.version}, appendfsync ${facts.appendfsync}`),
    config.REDIS_DURABILITY,
  );
  await store.schema.open();
  const schema = watchSchema(store.schema, onError, timers);
  const reader = await connect('consumer');
  const subscriberRedis = await connect('consumer');
  const streamFeed = createStreamFeed({ redis: subscriberRedis, prefix: config.REDIS_PREFIX, onError });
  const feed = startEventFeed({ reader, redis, primary: store.primary, prefix: config.REDIS_PREFIX, onError, timers });
  const queueRedis = isCluster(config.REDIS_URL) ? await connect('producer', entries) : redis;
  const producer = createProducer({ redis: queueRedis, prefix: config.REDIS_PREFIX, clock, onError });
  const objects = createObjectStore({ ...s3Options(config), clock });
  const egress = createEgress({ allow: config.EGRESS_ALLOW, own: ownServices(config) });
  const process = randomUUID();
  const cache = createKeyCache();
  const open = createOpenRequests();
  const slices = createSliceQueue({ now: timers.elapsed });
  const { memory, modelList, tenantRules, heldAnswers, ...useCases } = assembleUseCases(
    {
      clock,
      timers,
      process,
      newUlid: createUlids(),
      log,
      onError,
      store,
      producer,
      feed,
      streamFeed,
      objects,
      egress,
      slices,
      prices,
    },
    config,
  );
  const limit = limitRequests({
    perKey: config.RATE_LIMIT_RPM,
    perTenant: async (tenant) => (await tenantRules.rules(tenant)).requestsPerMinute,
    isUnlimited: (tenant) => {
      const limits = store.tenantLimits.known(tenant);
      return limits !== undefined && (limits.requests_per_minute ?? 0) === 0;
    },
    count: store.rateLimit,
    onUncounted: throttledLog(log, { event: 'rate_limit.uncounted' }, 'a request could not be counted and passed'),
  });
  const tenantBrake = createTenantBrake();
  const lastUsed = createLastUsed(store.apiKeys.noteUses, clock);
  const auth = createAuth({
    apiKeys: store.apiKeys,
    adminKey: config.ADMIN_API_KEY,
    cache,
    clock,
    brake: createLoginBrake(),
    used: lastUsed.used,
    limit: async (principal, request, response) => {
      open.enter(principal.tenant, response);
      await limit(principal, request, response);
      await tenantBrake.before(principal.tenant, request, response);
    },
  });
  const budget = createBodyBudget({ bytes: config.BODY_BUDGET, bodyLimit: config.BODY_LIMIT });
  const box = createSecretBox(config.SECRETS_KEY);
  const keyring = createKeyring({ store: store.tenants, box, newSecret, clock });
  const keyEnds = createKeyEnds({ known: cache.known, find: store.apiKeys.find, clock, onError });
  const subscriber = subscribe({
    redis: subscriberRedis,
    prefix: config.REDIS_PREFIX,
    on: {
      revoked: () => {
        cache.forget();
        keyEnds.recheck();
      },
    },
    onSubscribed: () => {
      cache.subscribed();
      keyEnds.recheck();
    },
    onDisconnected: cache.disconnected,
    presence: process,
    onError,
    timers,
  });
  const sign = (key: string, ttlS: number) => objects.signedUrl(key, ttlS);

  queueMetrics(metrics, useCases.queueStates);
  usageMetrics(metrics, store.usage);
  catalogueMetrics(metrics, { list: modelList.list, clock });
  suspectMetrics(metrics, store.suspects);
  fairnessMetrics(metrics, { rooms: store.rooms, clock });
  webhookMetrics(metrics, { deliveries: store.deliveries, clock });
  const document = openApiDocument(VERSION);

  const checks = watchChecks(
    storeChecks({ health: store.health, clock, durability: config.REDIS_DURABILITY, schema, probe: () => objects.probe() }),
    log,
  );
  const intake = {
    auth,
    clock,
    sign,
    keyEnds: keyEnds.keyEnds,
    lasts: open.lasts,
    bodyLimit: config.BODY_LIMIT,
    budget,
    slices,
  };
  const blank = createBlankSecrets([config.ADMIN_API_KEY, config.METRICS_TOKEN]);
  const app = createApp({
    log,
    metrics,
    trustProxy: config.TRUST_PROXY,
    blank,
    methodsOf: knownMethods(document, OPENAI_ROUTES),
    dialects: [openAiDialect],
    routers: [
      routerOf(ROUTES, {
        ...useCases,
        ...intake,
        log,
        signsUntil: () => objects.signsUntil(),
        blank,
        audited: createAudited({ audit: store.audit, log }),
        jobs: store.jobs,
        jobList: store.list,
        feed,
        heartbeatMs: HEARTBEAT_MS,
        batches: store.batches,
        keyring,
        deliveries: store.deliveries,
        deliveryList: store.deliveryList,
        apiKeys: store.apiKeys,
        audit: store.audit,
        failures: store.failures,
        overview: store.overview,
        memoryUse: store.health.memory,
        workers: store.workers,
        queueSettings: store.queueSettings,
        tenantLimits: store.tenantLimits,
        tenantRules,
        tenants: store.tenants,
        usage: store.usage,
        spending: store.spending,
        rooms: store.rooms,
        brakes: store.brakes,
        producer,
        bulk: store.bulk,
        operations: store.operations,
        suspects: store.suspects,
        checks,
        build,
        stopping: () => drain.begun,
        pauses: () => store.pauses.all(),
        metrics,
        metricsToken: config.METRICS_TOKEN,
      }),
      routerOf(OPENAI_ROUTES, {
        ...useCases,
        ...intake,
        objects,
        jobs: store.jobs,
        heartbeatMs: HEARTBEAT_MS,
        opensAfterMs: OPENS_AFTER_MS,
        batches: store.batches,
        fileBatches: store.fileBatches,
        upstreamChatFields: config.UPSTREAM_CHAT_FIELDS,
      }),
      adminPageRoutes({ sign }),
      docsRoutes(document),
    ],
  });

  const presence = await startPresence({ beat: heldAnswers.beat, timers, onError });
  const server = createLimitedServer(app, {
    ...SERVER_LIMITS,
    connections: config.MAX_CONNECTIONS,
    connectionsPerAddress: config.TRUST_PROXY === 'off' ? Math.ceil(config.MAX_CONNECTIONS / 2) : config.MAX_CONNECTIONS,
    log,
    onRefused: throttledLog(
      log,
      { event: 'http.connections_full' },
      'a connection too many was closed; MAX_CONNECTIONS sets how many',
    ),
  });
  // What has another version by now must not be written by this process any more.
  const drainMs = () => (schema.trouble() === undefined ? config.DRAIN_S * 1000 : 0);
  const drain: Drain = createDrain(server, { ms: drainMs, timers, log });
  const url = await listen(server, config.HOST, config.PORT);
  log.info({ event: 'api.ready', url, build: build.id, schema: build.schema }, 'ready');

  const closing: readonly (readonly Service[])[] = [
    [drain],
    // The feed ends the open streams and waits, which the server waits for.
    [feed, { name: 'http server', stop: () => closeServer(server) }],
    [
      memory,
      modelList,
      schema,
      clock,
      checks,
      lastUsed,
      presence,
      subscriber,
      { name: 'queues', stop: () => producer.close() },
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
  return {
    url,
    mustStop: schema.mustStop,
    stop: () => stopInOrder(timers, closing, config.SHUTDOWN_TIMEOUT_S * 1000),
  };
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${address.port}`;
}

/** Takes no more connections, lets open requests end, and closes each connection as soon as it is idle. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearInterval(sweep);
      resolve();
    });
  });
}
