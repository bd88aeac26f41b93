import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEgress } from '@grsai-jobs/egress';
import { createCancelJob, createReopenJob } from '@grsai-jobs/job-actions';
import { createJobStore, startEventFeed, subscribe, watchMemory, watchSchema } from '@grsai-jobs/job-store';
import type { JobRequest } from '@grsai-jobs/jobs';
import { createObjectStore } from '@grsai-jobs/object-store';
import { connectRedis, createProducer, type Silence } from '@grsai-jobs/queue';
import {
  createMetrics,
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
import type { ApiConfig } from './config.ts';
import { createApp } from './http/app.ts';
import { createAudited } from './http/audited.ts';
import { createAuth } from './http/auth.ts';
import { createBlankSecrets } from './http/blank-secrets.ts';
import { createBodyBudget } from './http/body-budget.ts';
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
import { adminPageRoutes } from './routes/admin-page.ts';
import { docsRoutes } from './routes/docs-page.ts';
import { ROUTES } from './routes/index.ts';
import { createUlids } from './ulids.ts';
import { createAcceptBatch } from './use-cases/accept-batch.ts';
import { createAcceptJob } from './use-cases/accept-job.ts';
import { createBulkPreview } from './use-cases/bulk-preview.ts';
import { imageProblems, webhookProblems } from './use-cases/check-request.ts';
import { createDeleteJob } from './use-cases/delete-job.ts';
import { createNudgeOperations } from './use-cases/nudge-operations.ts';
import { createOpenInput } from './use-cases/open-input.ts';
import { createQueueStates } from './use-cases/queue-states.ts';
import { createRecoverEndpoint } from './use-cases/recover-endpoint.ts';
import { createResendDelivery } from './use-cases/resend-delivery.ts';
import { createRetryFailed } from './use-cases/retry-failed.ts';
import { queueMetrics, usageMetrics, webhookMetrics } from './use-cases/scraped-metrics.ts';
import { createAllowances, createRetryRoom } from './use-cases/tenant-limits.ts';
import { createUploadInputs, inputProblems, UPLOAD_LIMIT_MS } from './use-cases/upload-inputs.ts';
import { createWaitForEnd } from './use-cases/wait-for-end.ts';
import type { FieldError } from './validation/validate.ts';

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
  const clock = systemClock;
  const metrics = createMetrics();
  const onError = throttledLog(log, { event: 'redis.error' }, 'Redis: connection trouble');
  const redis = await connectRedis(config.REDIS_URL, 'producer', { onError, ...silence });
  const store = createJobStore({ redis, prefix: config.REDIS_PREFIX, clock });
  await store.health.require((facts) =>
    log.info({ event: 'redis.facts', ...facts }, `Redis ${facts.version}, appendfsync ${facts.appendfsync}`),
  );
  await store.schema.open();
  const schema = watchSchema(store.schema, onError);
  const reader = await connectRedis(config.REDIS_URL, 'consumer', { onError });
  const feed = startEventFeed({ reader, redis, prefix: config.REDIS_PREFIX, onError });
  const producer = createProducer({ redis, prefix: config.REDIS_PREFIX, onError });
  const objects = createObjectStore(s3Options(config));
  const egress = createEgress({ allow: config.EGRESS_ALLOW, own: ownServices(config) });
  const cache = createKeyCache();
  const open = createOpenRequests();
  const limit =
    config.RATE_LIMIT_RPM === 0
      ? undefined
      : limitRequests({
          perMinute: config.RATE_LIMIT_RPM,
          count: store.rateLimit(config.RATE_LIMIT_RPM),
          onUncounted: throttledLog(log, { event: 'rate_limit.uncounted' }, 'a request could not be counted and passed'),
        });
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
      await limit?.(principal, request, response);
    },
  });
  const budget = createBodyBudget({ bytes: config.BODY_BUDGET, bodyLimit: config.BODY_LIMIT });
  const box = createSecretBox(config.SECRETS_KEY);
  const keyring = createKeyring({ store: store.tenants, box, newSecret, clock });
  const keyEnds = createKeyEnds({ find: store.apiKeys.find, clock, onError });
  const subscriberRedis = await connectRedis(config.REDIS_URL, 'consumer', { onError });
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
    onError,
  });
  const memory = watchMemory(store, onError);
  const intake = {
    defaults: { image: config.ON_UNKNOWN_SUBMIT_IMAGE, chat: config.ON_UNKNOWN_SUBMIT_CHAT },
    newUlid: createUlids(),
    uploadInputs: createUploadInputs({
      objects,
      notes: store.inputNotes,
      keyPrefix: config.S3_PREFIX,
      limitMs: UPLOAD_LIMIT_MS,
      log,
    }),
    memory,
    allowanceOf: createAllowances({ config, memory }),
    usage: store.usage,
    clock,
    log,
  };
  const acceptJob = createAcceptJob({ ...intake, store, producer });
  const checkJob = (request: JobRequest): FieldError[] => [...webhookProblems(egress, request), ...imageProblems(request)];
  const nudge = createNudgeOperations({ producer, log });
  const acceptBatch = createAcceptBatch({
    ...intake,
    inputNotes: store.inputNotes,
    batches: store.batches,
    claims: store.claims,
    nudge,
    check: (request) => [...checkJob(request), ...inputProblems(request)],
  });

  const sign = (key: string, ttlS: number) => objects.signedUrl(key, ttlS);
  const states = createQueueStates({ store, producer, clock });

  queueMetrics(metrics, states);
  usageMetrics(metrics, store.usage);
  webhookMetrics(metrics, { deliveries: store.deliveries, clock });
  const document = openApiDocument(VERSION);

  let stopping = false;
  const checks = watchChecks(storeChecks({ health: store.health, schema, probe: () => objects.probe() }), log);
  const blank = createBlankSecrets([config.ADMIN_API_KEY, config.METRICS_TOKEN]);
  const app = createApp({
    log,
    metrics,
    trustProxy: config.TRUST_PROXY,
    blank,
    methodsOf: knownMethods(document),
    routers: [
      routerOf(ROUTES, {
        auth,
        clock,
        log,
        sign,
        signsUntil: () => objects.signsUntil(),
        keyEnds: keyEnds.keyEnds,
        lasts: open.lasts,
        bodyLimit: config.BODY_LIMIT,
        budget,
        blank,
        audited: createAudited({ audit: store.audit, log }),
        jobs: store.jobs,
        jobList: store.list,
        acceptJob,
        checkJob,
        openInput: createOpenInput({ objects, log }),
        waitForEnd: createWaitForEnd({ feed, jobs: store.jobs }),
        feed,
        heartbeatMs: HEARTBEAT_MS,
        cancelJob: createCancelJob({ store, producer, log }),
        reopenJob: createReopenJob({ store, producer, memory, clock, log }),
        retryRoom: createRetryRoom({ usage: store.usage, limit: config.TENANT_MAX_LIVE_JOBS, now: () => clock.now() }),
        deleteJob: createDeleteJob({ store, objects, keyPrefix: config.S3_PREFIX, clock, log }),
        batches: store.batches,
        acceptBatch,
        checkUrl: (address: string) => egress.checkUrl(address)?.message,
        retryFailed: createRetryFailed({ batches: store.batches, nudge }),
        nudge,
        keyring,
        deliveries: store.deliveries,
        deliveryList: store.deliveryList,
        resendDelivery: createResendDelivery({ deliveries: store.deliveries, producer, clock, log }),
        recoverEndpoint: createRecoverEndpoint({ store, nudge, clock, log }),
        apiKeys: store.apiKeys,
        audit: store.audit,
        failures: store.failures,
        overview: store.overview,
        memoryUse: store.health.memory,
        workers: store.workers,
        queueStates: states,
        queueSettings: store.queueSettings,
        brakes: store.brakes,
        producer,
        bulk: store.bulk,
        operations: store.operations,
        previewBulk: createBulkPreview({ store, clock }),
        checks,
        stopping: () => stopping,
        pauses: () => store.pauses.all(),
        metrics,
        metricsToken: config.METRICS_TOKEN,
      }),
      adminPageRoutes({ sign }),
      docsRoutes(document),
    ],
  });

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
  const url = await listen(server, config.HOST, config.PORT);
  log.info({ event: 'api.ready', url }, 'ready');

  const closing: readonly (readonly Service[])[] = [
    // The feed ends the open streams and waits, which the server waits for.
    [feed, { name: 'http server', stop: () => closeServer(server) }],
    [
      memory,
      schema,
      checks,
      lastUsed,
      subscriber,
      { name: 'queues', stop: () => producer.close() },
      { name: 'egress', stop: () => egress.close() },
    ],
    [
      { name: 'redis', stop: async () => redis.disconnect() },
      { name: 'redis subscriber', stop: async () => subscriberRedis.disconnect() },
      { name: 'object store', stop: async () => objects.close() },
    ],
  ];
  return {
    url,
    mustStop: schema.mustStop,
    stop: () => {
      stopping = true;
      return stopInOrder(closing, config.SHUTDOWN_TIMEOUT_S * 1000);
    },
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
