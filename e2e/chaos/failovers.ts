import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startEmulator } from '@grsai-jobs/grsai-emulator';
import { createJobStore } from '@grsai-jobs/job-store';
import { freePort, type RedisSentinels, startReceiver, startRedisSentinels, startS3, waitFor } from '@grsai-jobs/testkit';
import { type Client, createClient } from './client.ts';
import { numberOf } from './plan-jobs.ts';
import { createRandom } from './random.ts';
import { type Kept, keepAlive } from './supervisor.ts';

export interface FailoverOptions {
  readonly seed: string;
  /** The Sentinels are asked for another primary: nobody dies. */
  readonly planned: number;
  /** The primary is killed. */
  readonly unplanned: number;
  readonly durability: 'memory' | 'replica';
  /** A worker or an API dies in the second of each failover. */
  readonly kills: boolean;
  /** Jobs in a second, chats and images in turn. */
  readonly perSecond: number;
}

export interface FailoverResult {
  readonly jobs: number;
  /** Accepted with a 202, and there is no such job. */
  readonly lost: readonly string[];
  /** Image jobs with more than one task that was not refunded. */
  readonly paidTwice: readonly string[];
  /** Jobs that have ended and whose webhook never came. */
  readonly untold: readonly string[];
  /** Jobs that have not ended. */
  readonly unfinished: readonly string[];
  /** How jobs have ended. */
  readonly ends: Readonly<Record<string, number>>;
  /** How long POST was not answered with 202 around each failover, at most, in ms. */
  readonly longestGapMs: number;
  /** Lines of the logs about failovers. */
  readonly said: Readonly<Record<string, number>>;
  /** All that the processes have said, by their names. */
  readonly logs: Readonly<Record<string, readonly string[]>>;
}

const entry = (app: 'api' | 'worker') => fileURLToPath(new URL(`../../apps/${app}/src/main.ts`, import.meta.url));
const ADMIN_KEY = 'admin-key-for-chaos-0123456789';
/** Between two failovers; a killed process and a killed server are back by then. */
const APART_MS = 6000;
const ENDS_WITHIN_MS = 180_000;
const TOLD = /^(redis\.primary_changed|recovery\.|job\.reasserted|job\.restored|job\.lost|jobs\.forgotten)/;

/** Load, failovers of a real Redis with real Sentinels beside it, and what has become of everything. */
export async function runFailovers(o: FailoverOptions): Promise<FailoverResult> {
  await using stack = new AsyncDisposableStack();
  const safe = o.durability === 'replica' ? ['--min-replicas-to-write', '1', '--min-replicas-max-lag', '2'] : [];
  const sentinels = await startRedisSentinels({ servers: 2, args: safe, downAfterMs: 500 });
  stack.defer(() => sentinels.stop());
  const [s3, emulator, receiver] = await Promise.all([
    startS3(),
    startEmulator({ seed: o.seed, taskMs: { min: 200, max: 1500 }, chatMs: { min: 20, max: 800 } }),
    startReceiver(),
  ]);
  stack.defer(async () => void (await Promise.all([s3.stop(), emulator.close(), receiver.stop()])));
  await learnQuickTasks(sentinels);
  const env = {
    ...s3.env,
    REDIS_URL: sentinels.url,
    REDIS_DURABILITY: o.durability,
    GRSAI_API_KEY: 'sk-0123456789abcdef0123456789abcdef',
    GRSAI_BASE_URLS: emulator.url,
    GRSAI_CATALOGUE_URL: 'off',
    ADMIN_API_KEY: ADMIN_KEY,
    SECRETS_KEY: randomBytes(32).toString('base64'),
    EGRESS_ALLOW: '127.0.0.0/8',
    HEALTH_PORT: '0',
    HOST: '127.0.0.1',
  };
  const ports = [await freePort(), await freePort()];
  const start = (app: 'api' | 'worker', n: number, more: object) =>
    keepAlive({ name: `${app}-${n}`, entry: entry(app), env: { ...env, ...more }, readyEvent: `${app}.ready` });
  const processes = await Promise.all([
    ...ports.map((port, n) => start('api', n, { PORT: String(port) })),
    ...[0, 1].map((n) => start('worker', n, {})),
  ]);
  stack.defer(async () => void (await Promise.all(processes.map((kept) => kept.destroy()))));
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const { key } = await createClient(urls[0] ?? '', ADMIN_KEY).json<{ key: string }>('POST', '/admin/v1/keys', {
    ...{ tenant: 'acme', name: 'failovers', scopes: ['jobs:read', 'jobs:write', 'webhooks:write'] },
  });
  const clients = urls.map((url) => createClient(url, key));
  const load = sendLoad(clients, receiver.url, o);
  await waitFor(() => load.accepted() >= 3 * o.perSecond, { timeoutMs: 60_000, what: 'jobs before the first failover' });
  await failOver(sentinels, processes, o);
  const { accepted, longestGapMs } = await load.end();
  const ends = await awaitEnds(clients, accepted);
  const tasks = Map.groupBy(emulator.ledger.tasksOf({}), ({ prompt }) => numberOf(prompt));
  const paid = (n: number) => (tasks.get(n) ?? []).filter(({ status }) => status !== 'failed').length;
  const entries = [...accepted];
  const told = async () =>
    entries.filter(([, id]) => isEnded(ends.get(id)) && !receiver.received.some(({ body }) => body.includes(id)));
  await waitFor(async () => (await told()).length === 0, { timeoutMs: 60_000, what: 'the last webhooks' }).catch(() => undefined);
  const lines = processes.flatMap(({ lives }) => lives.flatMap((life) => life.lines)).map((line) => String(line['event']));
  return {
    jobs: accepted.size,
    lost: entries.filter(([, id]) => ends.get(id) === 'missing').map(([n]) => `job ${n}`),
    paidTwice: entries.filter(([n]) => paid(n) > 1).map(([n]) => `job ${n}: ${paid(n)} tasks`),
    untold: (await told()).map(([n, id]) => `job ${n}: ${ends.get(id)}`),
    unfinished: entries
      .filter(([, id]) => !isEnded(ends.get(id)) && ends.get(id) !== 'missing')
      .map(([n, id]) => `job ${n}: ${ends.get(id)}`),
    ends: counted([...ends.values()]),
    longestGapMs,
    said: counted(lines.filter((event) => TOLD.test(event))),
    logs: Object.fromEntries(
      processes.map(({ name, lives }) => [name, lives.flatMap((life) => life.lines.map(({ raw }) => raw))]),
    ),
  };
}

const isEnded = (status = ''): boolean => /^(succeeded|failed|canceled|expired)/.test(status);

function counted(words: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(words, (word) => word)].map(([word, all]) => [word, all.length]));
}

/** Workers that do not know how long image tasks take poll after 12 s for the first time. */
async function learnQuickTasks(sentinels: RedisSentinels): Promise<void> {
  const redis = sentinels.client(await sentinels.primary());
  await createJobStore({ redis, prefix: 'gj', clock: Date }).paces.learn('nano-banana-2', new Map([[0, 20]]));
  redis.disconnect();
}

/** Jobs that are sent at a steady pace, each until an API takes it, under its own Idempotency-Key. */
function sendLoad(clients: readonly Client[], receiver: string, o: FailoverOptions) {
  const accepted = new Map<number, string>();
  const open = new Set<Promise<void>>();
  let over = false;
  let [lastAt, longestGapMs] = [Date.now(), 0];

  async function place(n: number): Promise<void> {
    const body = bodyOf(n, receiver);
    for (let tries = 0; ; tries += 1) {
      const client = clients[(n + tries) % clients.length] as Client;
      const answer = await client
        .send('POST', '/v1/jobs', body, { 'idempotency-key': `job-${o.seed}-${n}` })
        .catch(() => undefined);
      if (answer?.status === 202) {
        accepted.set(n, ((await answer.json()) as { id: string }).id);
        longestGapMs = Math.max(longestGapMs, Date.now() - lastAt);
        lastAt = Date.now();
        return;
      }
      await sleep(200);
    }
  }

  async function run(): Promise<void> {
    for (let n = 1; !over; n += 1) {
      const placed: Promise<void> = place(n).finally(() => open.delete(placed));
      open.add(placed);
      await sleep(1000 / o.perSecond);
    }
  }
  const running = run();
  return {
    accepted: () => accepted.size,
    async end() {
      over = true;
      await running;
      while (open.size > 0) await Promise.race(open);
      return { accepted, longestGapMs };
    },
  };
}

function bodyOf(n: number, receiver: string): object {
  const prompt = `chaos job ${n}. `;
  const common = { webhook: { url: receiver }, expires_in_s: 3600 };
  if (n % 2 === 0)
    return { type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: prompt }] }, ...common };
  return { type: 'image', input: { model: 'nano-banana-2', prompt }, on_unknown_submit: 'fail', ...common };
}

/** Each kind as often as was asked for, in an order that the seed says. */
async function failOver(sentinels: RedisSentinels, processes: readonly Kept[], o: FailoverOptions): Promise<void> {
  const random = createRandom(`${o.seed}/failovers`);
  const kinds = random.shuffle([...Array<string>(o.planned).fill('planned'), ...Array<string>(o.unplanned).fill('unplanned')]);
  for (const kind of kinds) {
    await sentinels.inStep();
    const before = await sentinels.primary();
    const victim = o.kills ? processes[random.int(0, processes.length - 1)] : undefined;
    const killed = sleep(random.int(0, 900)).then(() => victim?.kill(1000));
    if (kind === 'planned') await sentinels.failover();
    else {
      sentinels.signal(before, 'SIGKILL');
      await sentinels.nextPrimary(before);
      await sleep(1000);
      await sentinels.revive(before);
    }
    await killed;
    await sleep(APART_MS);
  }
}

/** Id → how its job stands when all have ended, or the time is over. */
async function awaitEnds(clients: readonly Client[], accepted: ReadonlyMap<number, string>): Promise<Map<string, string>> {
  const ends = new Map<string, string>();
  const until = Date.now() + ENDS_WITHIN_MS;
  for (;;) {
    for (const id of accepted.values()) {
      if (isEnded(ends.get(id)) || ends.get(id) === 'missing') continue;
      const answer = await clients[0]?.send('GET', `/v1/jobs/${id}`).catch(() => undefined);
      if (answer?.status === 404) ends.set(id, 'missing');
      if (answer?.status !== 200) continue;
      const { status, error } = (await answer.json()) as { status: string; error: { code: string } | null };
      ends.set(id, error === null ? status : `${status} ${error.code}`);
    }
    const left = [...accepted.values()].filter((id) => !isEnded(ends.get(id)) && ends.get(id) !== 'missing');
    if (left.length === 0 || Date.now() > until) return ends;
    await sleep(500);
  }
}
