import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createJobStore, endpointRef } from '@grsai-jobs/job-store';
import { type Job as JobRecord, jobError, type Transition } from '@grsai-jobs/jobs';
import { connectRedis } from '@grsai-jobs/redis';
import { chat, createClient, image, redisBinary } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startApi, type TestApi } from './api.ts';

/** What stands in Redis for the routes, made by an API that waits for nothing. */
async function startScene() {
  const api = await startApi();
  const redis = await connectRedis(api.redis.url, 'consumer', { onError: () => undefined, tag: '{gj}' });
  onTestFinished(() => redis.disconnect());
  const store = createJobStore({ redis, prefix: 'gj', clock: Date });
  const commit = async (id: string, transition: Transition) => {
    const committed = await store.transitions.commit((await store.jobs.read(id)) as JobRecord, transition);
    if (committed.kind !== 'ok') throw new Error(`${transition.kind}: ${committed.kind}`);
  };
  const queued = async (): Promise<string> =>
    (await api.tenant.post<{ id: string }>('/v1/jobs', image(api.receiver as never))).id;
  const failed = async (): Promise<string> => {
    const id = await queued();
    await commit(id, { kind: 'finish', status: 'failed', error: jobError('internal', 'queued') });
    return id;
  };
  const batch = async (): Promise<string> => {
    const items = [{ custom_id: 'a', ...chat(api.receiver) }];
    return (await api.tenant.post<{ id: string }>('/v1/batches', { items })).id;
  };
  const key = async (): Promise<string> =>
    (await api.admin.post<{ id: string }>('/admin/v1/keys', { tenant: 'acme', name: 'k', scopes: ['jobs:read'] })).id;
  const bulk = async (): Promise<string> => {
    await queued();
    const order = { action: 'cancel', filter: { status: ['queued'] }, rate_per_min: 1, reason: 'r' };
    return (await api.admin.post<{ id: string }>('/admin/v1/bulk-actions', order)).id;
  };
  return { api, store, commit, queued, failed, batch, key, bulk };
}

type Scene = Awaited<ReturnType<typeof startScene>>;

/** A delivery that is over. */
async function settledDelivery({ store, failed, api }: Scene): Promise<string> {
  const id = (await store.jobs.read(await failed()))?.webhook.last_delivery_id ?? '';
  const lease = { endpoint: endpointRef('acme', api.receiver.url), token: randomUUID() };
  const opened = await store.deliveries.open({ id, step: 1 }, lease);
  if (opened.kind !== 'open') throw new Error(opened.kind);
  await store.deliveries.settle(opened.delivery, {
    state: 'failed',
    attempt: { number: 1, at: Date.now(), duration_ms: 1, ok: false, phase: 'response' },
    lease: { ...lease, result: 'gone', answered: true, tookMs: 1 },
  });
  return id;
}

async function failedBatch(scene: Scene): Promise<string> {
  const id = await scene.batch();
  const [job = ''] = await scene.store.batches.jobIds(id, 0, 1);
  await scene.commit(job, { kind: 'finish', status: 'failed', error: jobError('internal', 'queued') });
  return id;
}

/** For each route that changes something: the values in its path and what is sent. */
const WRITES: Readonly<Record<string, (scene: Scene) => Promise<{ path?: Record<string, string>; body?: object }>>> = {
  'POST /v1/jobs': async ({ api }) => ({ body: chat(api.receiver) }),
  'DELETE /v1/jobs/{id}': async ({ failed }) => ({ path: { id: await failed() } }),
  'POST /v1/jobs/{id}/cancel': async ({ queued }) => ({ path: { id: await queued() }, body: {} }),
  'POST /v1/jobs/{id}/retry': async ({ failed }) => ({ path: { id: await failed() }, body: {} }),
  'POST /v1/batches': async ({ api }) => ({ body: { items: [{ custom_id: 'a', ...chat(api.receiver) }] } }),
  'POST /v1/batches/{id}/cancel': async ({ batch }) => ({ path: { id: await batch() }, body: {} }),
  'POST /v1/batches/{id}/retry-failed': async (scene) => ({ path: { id: await failedBatch(scene) }, body: {} }),
  'GET /v1/webhook-secret': async () => ({}),
  'POST /v1/webhook-secret/rotate': async () => ({ body: {} }),
  'POST /v1/webhook-deliveries/{id}/resend': async (scene) => ({ path: { id: await settledDelivery(scene) }, body: {} }),
  'POST /v1/webhook-deliveries/recover': async ({ api }) => ({
    body: { url: api.receiver.url, since: new Date(Date.now() - 60_000).toISOString() },
  }),
  'POST /admin/v1/jobs/{id}/requeue': async ({ failed }) => ({ path: { id: await failed() }, body: { reason: 'r' } }),
  'POST /admin/v1/webhook-deliveries/{id}/resend': async (scene) => ({
    path: { id: await settledDelivery(scene) },
    body: { reason: 'r' },
  }),
  'PATCH /admin/v1/queues/{name}': async () => ({ path: { name: 'store' }, body: { paused: true, reason: 'r' } }),
  'POST /admin/v1/suspects': async ({ queued }) => {
    await queued();
    return { body: { action: 'hold', reason: 'r' } };
  },
  'POST /admin/v1/restored': async () => ({ body: { at: new Date(Date.now() - 60_000).toISOString(), reason: 'r' } }),
  'PUT /admin/v1/tenants/{tenant}': async () => ({
    path: { tenant: 'acme' },
    body: { max_live_jobs: 10, reason: 'r' },
  }),
  'POST /admin/v1/keys': async () => ({ body: { tenant: 'acme', name: 'k', scopes: ['jobs:read'] } }),
  'DELETE /admin/v1/keys/{id}': async ({ key }) => ({ path: { id: await key() }, body: { reason: 'r' } }),
  'POST /admin/v1/bulk-actions': async () => ({ body: { action: 'cancel', filter: { status: ['queued'] }, reason: 'r' } }),
  'POST /admin/v1/bulk-actions/{id}/abort': async ({ bulk }) => ({ path: { id: await bulk() }, body: { reason: 'r' } }),
  'POST /admin/v1/bulk-actions/{id}/resume': async ({ api, bulk }) => {
    const id = await bulk();
    await api.admin.post(`/admin/v1/bulk-actions/${id}/abort`, { reason: 'r' });
    return { path: { id }, body: { reason: 'r' } };
  },
};

function routes(): string[] {
  const { paths } = JSON.parse(readFileSync(new URL('../../../openapi.json', import.meta.url), 'utf8')) as {
    paths: Record<string, Record<string, { responses?: object }>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses }]) => (responses ? [`${method.toUpperCase()} ${path}`] : [])),
  );
}

const clientOf = (api: TestApi, url: string, path: string) =>
  createClient(url, path.startsWith('/admin/') ? api.admin.key : api.tenant.key);

test.runIf(await redisBinary())(
  'when no replica confirms what a request has changed then no route says that it is done',
  { timeout: 90_000 },
  async () => {
    expect(Object.keys(WRITES).filter((route) => !route.startsWith('GET '))).toEqual(
      expect.arrayContaining(routes().filter((route) => !route.startsWith('GET '))),
    );
    const scene = await startScene();
    const { url } = await scene.api.startAnother({ REDIS_DURABILITY: 'replica' });
    const sent = await Promise.all(
      Object.entries(WRITES).map(async ([route, make]) => {
        const [method = '', template = ''] = route.split(' ');
        const { path = {}, body } = await make(scene);
        return { route, method, path: template.replace(/\{(\w+)\}/g, (_, name: string) => path[name] ?? ''), body };
      }),
    );
    const answers = sent.map(async ({ route, method, path, body }) => {
      const answer = await clientOf(scene.api, url, path).send(method, path, body);
      const { detail = '' } = answer.status === 204 ? {} : ((await answer.json()) as { detail?: string });
      const told = /^No replica of the job store|^The job store did not answer/.test(detail) ? 'told' : detail;
      return `${route} ${answer.status} ${told}`;
    });
    expect(await Promise.all(answers)).toEqual(sent.map(({ route }) => `${route} 503 told`));
  },
);
