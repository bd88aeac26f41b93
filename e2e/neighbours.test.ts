import { once } from 'node:events';
import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { freePort, startReceiver } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { chat, createClient, type Stack, startStack } from './stack.ts';

/** Chats of the quiet tenant in each phase, one after the other, behind some that warm both processes up. */
const WARM = 10;
const SAMPLES = 60;
/** What a machine that shares its cores with five attackers, both apps and all stand-ins may add to twice the quiet time. */
const ALLOWANCE_MS = 750;
/** The model whose name upstream repeats in what it refuses: read as upstream's own words it would stop everybody. */
const WORDS = 'insufficient-credits/balance-not-enough';

type Client = ReturnType<typeof createClient>;

async function tenant(stack: Stack, name: string): Promise<Client> {
  const { key } = await stack.admin.post<{ key: string }>('/admin/v1/keys', {
    tenant: name,
    name: 'tests',
    scopes: ['jobs:read', 'jobs:write', 'webhooks:write'],
  });
  return createClient(stack.url, key);
}

/** Takes connections and never says a word. */
async function hangingHost(): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/hook`;
}

/** One kind of attack, again and again until it is told to stop; remembers the statuses that it got. */
function attack(once_: (n: number) => Promise<number>): { seen: Map<number, number>; stop: () => Promise<void> } {
  const seen = new Map<number, number>();
  let going = true;
  const run = async (): Promise<void> => {
    for (let n = 0; going; n += 1) {
      const status = await once_(n).catch(() => 0);
      seen.set(status, (seen.get(status) ?? 0) + 1);
    }
  };
  const running = run();
  return {
    seen,
    stop: async () => {
      going = false;
      await running;
    },
  };
}

/** Times of the quiet tenant, each in ms from its POST: the end of its chat, and its webhook. */
async function quietTimes(
  client: Client,
  receiver: Awaited<ReturnType<typeof startReceiver>>,
  count: number,
): Promise<{ chat: number[]; webhook: number[] }> {
  const times: { chat: number[]; webhook: number[] } = { chat: [], webhook: [] };
  for (let n = 0; n < count; n += 1) {
    const begun = Date.now();
    const answer = await client.send('POST', '/v1/jobs', chat(receiver), { prefer: 'wait=30' });
    const job = (await answer.json()) as { id: string; status: string };
    times.chat.push(Date.now() - begun);
    expect([answer.status, job.status]).toEqual([200, 'succeeded']);
    const hook = await receiver.waitFor(({ body }) => body.includes(job.id), { timeoutMs: 30_000 });
    times.webhook.push(hook.at - begun);
  }
  return times;
}

const percentile = (times: readonly number[], part: number): number =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;

test('when five tenants attack at once then the chats and webhooks of a quiet one take no more than twice their time', async () => {
  const health = await freePort();
  const stack = await startStack({
    emulator: { chatMs: 20 },
    redis: { appendonly: 'no', maxmemory: '150mb' },
    env: { HEALTH_PORT: String(health), TENANT_MAX_STORED_BYTES: '8mb', TENANT_MAX_LIVE_JOBS: '300' },
  });
  stack.emulator.configure({ echo: 'model', refusals: [{ status: 400, text: 'refused:', model: WORDS, on: ['chat'] }] });
  const own = await startReceiver();
  onTestFinished(() => own.stop());
  const quiet = await tenant(stack, 'quiet');
  const [words, gzip, storage, hooks, stranger] = await Promise.all(
    ['words', 'gzip', 'storage', 'hooks', 'stranger'].map((name) => tenant(stack, name)),
  );
  const hosts = await Promise.all(Array.from({ length: 8 }, hangingHost));
  const message = 'x'.repeat(31_000);
  const long = {
    ...chat(own),
    input: { model: 'gemini-3.1-pro', messages: Array.from({ length: 32 }, () => ({ role: 'user', content: message })) },
  };
  const { webhook: _none, ...silent } = long;
  const bomb = gzipSync(
    JSON.stringify({
      ...silent,
      input: { ...long.input, messages: Array.from({ length: 600 }, () => ({ role: 'user', content: message })) },
    }),
  );
  const full = JSON.stringify(silent);

  await quietTimes(quiet, own, WARM);
  const before = await quietTimes(quiet, own, SAMPLES);
  const status = async (sent: Promise<Response> | undefined): Promise<number> => {
    const response = await sent;
    await response?.arrayBuffer();
    return response?.status ?? 0;
  };
  const attacks = {
    words: attack(() =>
      status(
        words?.send(
          'POST',
          '/v1/jobs',
          {
            ...chat(own),
            webhook: undefined,
            input: { model: WORDS, messages: [{ role: 'user', content: 'x' }] },
            max_attempts: 1,
          },
          { prefer: 'wait=5' },
        ),
      ),
    ),
    gzip: attack(() => status(gzip?.send('POST', '/v1/jobs', bomb, { 'content-encoding': 'gzip' }))),
    storage: attack(() => status(storage?.send('POST', '/v1/jobs', full))),
    hooks: attack((n) =>
      status(hooks?.send('POST', '/v1/jobs', chat({ url: hosts[n % hosts.length] ?? '' }), { prefer: 'wait=5' })),
    ),
    health: attack((n) =>
      n % 2 === 0
        ? status(fetch(`http://127.0.0.1:${health}//`))
        : status(stranger?.send('POST', '/v1/jobs', chat({ url: `http://127.0.0.1:${health}//` }))),
    ),
  };
  const during = await quietTimes(quiet, own, SAMPLES);
  await Promise.all(Object.values(attacks).map(({ stop }) => stop()));
  const told = JSON.stringify({
    ...Object.fromEntries(Object.entries(attacks).map(([name, { seen }]) => [name, Object.fromEntries(seen)])),
    before: [percentile(before.chat, 0.5), percentile(before.chat, 0.95), percentile(before.webhook, 0.95)],
    during: [percentile(during.chat, 0.5), percentile(during.chat, 0.95), percentile(during.webhook, 0.95)],
  });
  console.log(told);
  for (const what of ['chat', 'webhook'] as const)
    expect
      .soft(percentile(during[what], 0.95), `${what}: ${told}`)
      .toBeLessThanOrEqual(2 * percentile(before[what], 0.95) + ALLOWANCE_MS);

  // Each attack was one, and met what stands against it.
  for (const { seen } of Object.values(attacks))
    expect
      .soft(
        [...seen.values()].reduce((sum, n) => sum + n, 0),
        told,
      )
      .toBeGreaterThan(3);
  expect.soft(attacks.gzip.seen.has(202), told).toBe(false);
  expect.soft(attacks.storage.seen.has(429), told).toBe(true);
  expect.soft([stack.api.running, stack.worker.running], told).toEqual([true, true]);
  const queues = await stack.admin.get<{ data: { name: string; pauses: { reason: string }[] }[] }>('/admin/v1/queues');
  const reasons = queues.data.flatMap(({ pauses }) => pauses.map(({ reason }) => reason));
  expect.soft(reasons.filter((reason) => reason === 'auth' || reason === 'balance')).toEqual([]);
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  expect.soft(used).toBeLessThan(0.8 * 150 * 1024 * 1024);
}, 240_000);
