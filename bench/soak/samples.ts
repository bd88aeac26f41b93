import { readdirSync, readlinkSync } from 'node:fs';
import { sampleOf } from '../lib/prometheus.ts';
import type { Books } from './books.ts';
import { type Running, TENANTS, type World } from './world.ts';

/** What was seen at one time: name of a measure → value. */
export interface Sample {
  /** Seconds since the start. */
  readonly t: number;
  readonly values: Readonly<Record<string, number>>;
}

const MIB = 1024 ** 2;
const LIMIT_MS = 5000;

/** Sockets that a process holds (proc(5)). NaN where there is no /proc. */
function socketsOf(pid: number): number {
  try {
    const dir = `/proc/${pid}/fd`;
    return readdirSync(dir).filter((name) => isSocket(`${dir}/${name}`)).length;
  } catch {
    return Number.NaN;
  }
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:');
  } catch {
    return false;
  }
}

/** From its own metrics. Event loop delay is that since they were read last. Nothing of a process that does not answer. */
async function processSample({ name, child, url }: Running): Promise<Record<string, number>> {
  try {
    const text = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(LIMIT_MS) })).text();
    const value = (metric: string): number => sampleOf(text, `grsai_jobs_${metric}`);
    return {
      [`${name}.rss`]: value('process_resident_memory_bytes') / MIB,
      [`${name}.heap`]: value('nodejs_heap_size_used_bytes') / MIB,
      [`${name}.external`]: value('nodejs_external_memory_bytes') / MIB,
      [`${name}.handles`]: value('process_open_fds'),
      [`${name}.sockets`]: socketsOf(child.pid),
      [`${name}.resources`]: value('nodejs_active_resources_total'),
      [`${name}.delay`]: value('nodejs_eventloop_lag_p99_seconds') * 1000,
    };
  } catch {
    return {};
  }
}

/** What costs Redis nothing: lengths of lists that are known. */
async function redisSample({ eye }: World): Promise<Record<string, number>> {
  const at = (name: string): string => `{gj}:${name}`;
  const count = async (...names: string[]): Promise<number> => {
    const lengths = await Promise.all(names.map((name) => eye.zcard(at(name))));
    return lengths.reduce((sum, length) => sum + length, 0);
  };
  const number = (text: string, name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1]);
  const info = await eye.info();
  return {
    'redis.memory': number(info, 'used_memory') / MIB,
    'redis.clients': number(info, 'connected_clients'),
    'redis.keys': await eye.dbsize(),
    'redis.jobs': await count(...TENANTS.map((tenant) => `tenant:${tenant}:jobs`)),
    'redis.deliveries': await count(...TENANTS.map((tenant) => `tenant:${tenant}:deliveries`)),
    'redis.due': await count('due'),
    'redis.pending': await count('due:deliveries'),
    'redis.late': await count('late'),
    'redis.inflight': await count('inflight'),
    'redis.operations': await count('operations'),
  };
}

/** Looks at everything; rates are those since the last look. */
export function createSampler(world: World, books: Books, startedAt: number): () => Promise<Sample> {
  let last = { at: startedAt, ...books.sums };
  let objects = 0;
  let looks = 0;
  return async () => {
    // Once a minute: it lists the whole bucket.
    if (looks % 6 === 0) objects = await world.expireObjects();
    looks += 1;
    const parts = await Promise.all([...world.running().map(processSample), redisSample(world)]);
    const now = { at: Date.now(), ...books.sums };
    const seconds = (now.at - last.at) / 1000;
    const rate = (name: keyof Books['sums']): number => (now[name] - last[name]) / seconds;
    const rates = { accepted: rate('accepted'), ended: rate('ended'), told: rate('told'), refused: rate('refused') };
    last = now;
    const values = Object.assign({ objects, live: books.live, ...rates }, ...parts) as Record<string, number>;
    values['redis.keys'] = (values['redis.keys'] ?? 0) - books.lasting;
    return { t: Math.round((now.at - startedAt) / 100) / 10, values };
  };
}

/** How many keys there are of each kind. Ids, days and tenants count as one name: parts in which a digit stands. */
export async function keysByKind({ eye }: World): Promise<Record<string, number>> {
  const kinds: Record<string, number> = {};
  for await (const keys of eye.scanStream({ count: 1000 }))
    for (const key of keys as string[]) {
      const kind = kindOf(key);
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    }
  return Object.fromEntries(Object.entries(kinds).sort(([, a], [, b]) => b - a));
}

function kindOf(key: string): string {
  const [tag = '', name = '', ...rest] = key.split(':');
  if (name === 'idem' || name === 'answers') return `${tag}:${name}:*`;
  return [tag, name, ...rest.map((part) => (/\d/.test(part) ? '*' : part))].join(':');
}

/** Kinds whose keys live for longer than a soak by design: docs/design.md §9. They make Redis grow for three days, and then no more. */
export const LONG_LIVED: Readonly<Record<string, string>> = {
  '{gj}:idem:*': 'idempotency keys live for 72 h',
  '{gj}:erased:*': 'what is left of a deleted job lives for 72 h',
};
