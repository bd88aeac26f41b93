import { Redis } from 'ioredis';

/** What a run that has ended left. */
export interface End {
  readonly status: string;
  readonly error: { readonly code: string } | null;
}

type Output =
  | { readonly kind: 'chat'; readonly completion: unknown }
  | { readonly kind: 'chat_file'; readonly key: string; readonly sha256: string }
  | { readonly kind: 'images'; readonly images: readonly { readonly key: string; readonly sha256: string }[] };

/** The fields of a record that the checks ask for, read by the chaos test's own code. */
export interface JobRecord extends End {
  readonly id: string;
  /** Its number in the load. */
  readonly n: number;
  readonly stage: string;
  readonly run: number;
  readonly step: number;
  /** Milliseconds since 1970; 0 when nothing is due. */
  readonly due: number;
  readonly crashes: number;
  /** Empty for a job that was sent by itself. */
  readonly batch: string;
  readonly task: string;
  readonly output: Output | null;
  /** Run → how it ended, for the runs before this one. */
  readonly past: Readonly<Record<number, End>>;
  /** All of it as it stands, for people. */
  readonly raw: Readonly<Record<string, string>>;
}

export type Eye = ReturnType<typeof createEye>;

const parse = (text: string | undefined): unknown => (text ? JSON.parse(text) : null);

function decode(id: string, raw: Readonly<Record<string, string>>): JobRecord {
  const past = Object.entries(raw).filter(([name]) => name.startsWith('past:'));
  return {
    id,
    n: Number((parse(raw['doc']) as { metadata: { n?: string } }).metadata.n),
    status: raw['st'] ?? '',
    stage: raw['sg'] ?? '',
    run: Number(raw['run']),
    step: Number(raw['step']),
    due: Number(raw['due'] ?? 0),
    crashes: Number(raw['crashes'] ?? 0),
    batch: raw['batch'] ?? '',
    task: raw['task'] ?? '',
    error: parse(raw['err']) as End['error'],
    output: parse(raw['out']) as Output | null,
    past: Object.fromEntries(past.map(([name, text]) => [name.slice('past:'.length), parse(text) as End])),
    raw,
  };
}

/** Reads Redis past the proxy. While Redis is dead it waits, and meanwhile nothing can change there. */
export function createEye(url: string, o: { prefix: string; tenants: readonly string[] }) {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  redis.on('error', () => undefined); // it comes back
  const at = (rest: string): string => `{${o.prefix}}:${rest}`;
  const hashes = async (ids: readonly string[], ...fields: string[]): Promise<(string | null)[][]> => {
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hmget(at(`job:${id}`), ...fields);
    return ((await pipeline.exec()) ?? []).map(([, values]) => values as (string | null)[]);
  };
  return {
    async record(id: string): Promise<JobRecord> {
      const key = at(`job:${id}`);
      const [[, fields] = [], [, parts] = []] =
        (await redis.multi().hgetall(key).mget(`${key}:doc`, `${key}:out`, `${key}:att`).exec()) ?? [];
      const [doc, out, att] = parts as (string | null)[];
      return decode(id, { ...(fields as Record<string, string>), doc: doc ?? '', out: out ?? '', att: att ?? '' });
    },
    /** Ids of all jobs of the tenants. */
    jobIds: async (): Promise<string[]> =>
      (await Promise.all(o.tenants.map((tenant) => redis.zrange(at(`tenant:${tenant}:jobs`), '0', '-1')))).flat(),
    /** Ids of all records, whether or not a list names them. */
    async recordIds(): Promise<string[]> {
      const ids = new Set<string>();
      for await (const keys of redis.scanStream({ match: at('job:*'), count: 1000 }))
        for (const key of keys as string[]) ids.add(key.slice(at('job:').length).replace(/:.*$/, ''));
      return [...ids];
    },
    /** Ids of the jobs of a batch, in the order of its lines. */
    batchJobs: (id: string): Promise<string[]> => redis.lrange(at(`batch:${id}:jobs`), '0', '-1'),
    batchStatus: async (id: string): Promise<string> => (await redis.hget(at(`batch:${id}`), 'st')) ?? '',
    /** The status of each job. */
    states: async (ids: readonly string[]): Promise<string[]> => (await hashes(ids, 'st')).map(([status]) => status ?? ''),
    /** The paid calls that are open now: job and token of `sent`. */
    async inFlightCalls(): Promise<{ id: string; token: string }[]> {
      const ids = await redis.zrange(at('inflight'), '0', '-1');
      const rows = await hashes(ids, 'sg', 'sb');
      return ids.flatMap((id, i) => {
        const [stage, token] = rows[i] ?? [];
        return stage === 'submitting' && token ? [{ id, token }] : [];
      });
    },
    pendingDeliveries: (): Promise<number> => redis.zcard(at('pending:deliveries')),
    /** Ended jobs whose task may still succeed. */
    lateJobs: (): Promise<string[]> => redis.zrange(at('late'), '0', '-1'),
    async counters(): Promise<Record<string, number>> {
      const counters = await redis.hgetall(at('counters'));
      return Object.fromEntries(Object.entries(counters).map(([name, n]) => [name, Number(n)]));
    },
    /** The shared stream of events, oldest first. */
    async events(): Promise<{ at: number; job: string; seq: number; type: string }[]> {
      const entries = await redis.xrange(at('events'), '-', '+');
      return entries.map(([id, fields]) => {
        const field = (name: string): string => fields[fields.indexOf(name) + 1] ?? '';
        return { at: Number(id.split('-')[0]), job: field('j'), seq: Number(field('s')), type: field('t') };
      });
    },
    close: (): void => redis.disconnect(),
  };
}
