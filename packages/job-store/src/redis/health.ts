import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';

/** What a start and a readiness check need to know of Redis. */
export interface RedisFacts {
  version: string;
  policy: string;
  /** `unknown` where Redis has an append-only file and does not tell how it is written. */
  appendfsync: 'always' | 'everysec' | 'no' | 'off' | 'unknown';
}

const lineOf = (info: string, name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';

/** Whether what was accepted outlives a restart of Redis. */
export type Persistence = { readonly state: 'ok' } | { readonly state: 'warn' | 'unknown'; readonly reason: string };

/** What tells that the last write of a file failed: mostly a full disk. */
const LAST_WRITES = ['aof_last_write_status', 'aof_last_bgrewrite_status', 'rdb_last_bgsave_status'];

/** By the section `persistence` of INFO, and by what CONFIG says of `appendonly`: nothing on a managed Redis, which may keep all in its own way. */
export function judgePersistence(info: string, appendonly: string | undefined): Persistence {
  const failed = LAST_WRITES.filter((name) => lineOf(info, name) === 'err');
  if (failed.length > 0) {
    const reason = `Redis could not write its file the last time (${failed.join(', ')}): is its disk full? See its log, and make room`;
    return { state: 'warn', reason };
  }
  if (lineOf(info, 'aof_enabled') === '1') return { state: 'ok' };
  if (appendonly === undefined)
    return { state: 'unknown', reason: 'Redis does not tell how it keeps its data: ask who runs it what a restart can lose' };
  const reason =
    'REDIS_URL: Redis keeps no append-only file, so its restart loses accepted jobs and may pay twice: set appendonly yes in its configuration (CONFIG SET appendonly yes, then CONFIG REWRITE)';
  return { state: 'warn', reason };
}

export function createRedisHealth(redis: Redis, keys: Keys) {
  /** A setting of Redis; `undefined` where a managed Redis refuses to tell. */
  const configOf = async (name: string): Promise<string | undefined> => {
    const answer = (await redis.config('GET', name).catch((error: Error) => {
      if (/^(NOPERM|ERR)\b/.test(error.message)) return null;
      throw error;
    })) as string[] | null;
    return answer?.[1];
  };
  const health = {
    /** A write, since a full Redis still answers PING (*measured*). Rejects when Redis does not take it. */
    async write(): Promise<void> {
      await redis.set(keys.health, '1', 'PX', 60_000);
    },

    /** Whether Redis keeps what it was told, and could write it last time. */
    async persistence(): Promise<Persistence> {
      const info = await redis.info('persistence');
      return judgePersistence(info, await configOf('appendonly'));
    },

    /** The used part of `maxmemory`, 0 to 1 and above; 0 when Redis has no limit. */
    async memoryUsed(): Promise<number> {
      const info = await redis.info('memory');
      const max = Number(lineOf(info, 'maxmemory'));
      return max === 0 ? 0 : Number(lineOf(info, 'used_memory')) / max;
    },

    /** Bytes that Redis uses, may use (`null`: no limit), and what it does when they are full. */
    async memory(): Promise<{ used: number; max: number | null; policy: string }> {
      const info = await redis.info('memory');
      const policy = lineOf(info, 'maxmemory_policy') || 'unknown';
      return { used: Number(lineOf(info, 'used_memory')), max: Number(lineOf(info, 'maxmemory')) || null, policy };
    },

    async facts(): Promise<RedisFacts> {
      const info = await redis.info();
      const aof = lineOf(info, 'aof_enabled');
      let policy = lineOf(info, 'maxmemory_policy');
      // A managed Redis may refuse CONFIG; INFO then says enough.
      const said = await configOf('appendfsync').catch(() => undefined);
      const appendfsync =
        aof === '0' && said !== undefined ? 'off' : aof === '1' ? ((said ?? 'unknown') as RedisFacts['appendfsync']) : 'unknown';
      if (policy === '') policy = 'unknown';
      return { version: lineOf(info, 'valkey_version') || lineOf(info, 'redis_version'), policy, appendfsync };
    },

    /**
     * What a start needs of Redis; `tell` gets the facts either way.
     * @throws when its policy evicts keys, since that loses accepted jobs, or when it is older than 7.0.
     */
    async require(tell: (facts: RedisFacts) => void): Promise<void> {
      const facts = await health.facts();
      tell(facts);
      if (facts.policy !== 'noeviction' && facts.policy !== 'unknown')
        throw new Error(
          `Redis has maxmemory-policy ${facts.policy}, which loses jobs when memory runs out. Set it to noeviction.`,
        );
      if (Number.parseInt(facts.version, 10) < 7)
        throw new Error(`Redis is version ${facts.version}; at least Redis 7.0 or Valkey 7.2 is needed.`);
    },
  };
  return health;
}
export type RedisHealth = ReturnType<typeof createRedisHealth>;
