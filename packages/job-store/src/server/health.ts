import type { Redis } from '@grsai-jobs/redis';

/** What a start and a readiness check need to know of Redis. */
export interface RedisFacts {
  version: string;
  policy: string;
  /** `unknown` where Redis has an append-only file and does not say how it is written. */
  appendfsync: 'always' | 'everysec' | 'no' | 'off' | 'unknown';
}

const lineOf = (info: string, name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';

/** Whether what was accepted outlives a restart of Redis. */
export type Persistence = { readonly state: 'ok' } | { readonly state: 'warn' | 'unknown'; readonly reason: string };

/** Fields that say that the last write of a file failed: mostly a full disk. */
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
    return { state: 'unknown', reason: 'Redis does not say how it keeps its data: ask who runs it what a restart can lose' };
  const reason =
    'REDIS_URL: Redis keeps no append-only file, so its restart loses accepted jobs and may pay twice: set appendonly yes in its configuration (CONFIG SET appendonly yes, then CONFIG REWRITE)';
  return { state: 'warn', reason };
}

/** How long what was written has to last, as `REDIS_DURABILITY` says. */
export type Durability = 'memory' | 'replica' | 'disk';

/** By the section `replication` of INFO, and by what CONFIG says of `min-replicas-to-write`. */
export function judgeReplicas(info: string, minReplicas: string | undefined): Persistence {
  if (lineOf(info, 'connected_slaves') === '0')
    return {
      state: 'warn',
      reason: 'REDIS_DURABILITY is replica, and Redis has none in step: nothing is accepted and no call is begun until it has',
    };
  if (minReplicas === undefined)
    return { state: 'unknown', reason: 'Redis does not say whether min-replicas-to-write is set: ask who runs it' };
  if (Number(minReplicas) > 0) return { state: 'ok' };
  return {
    state: 'warn',
    reason:
      'REDIS_DURABILITY is replica, and Redis has min-replicas-to-write 0: an old primary takes writes that are lost, until it learns of its successor. Set it to 1 on every server (CONFIG SET min-replicas-to-write 1, then CONFIG REWRITE)',
  };
}

export function createRedisHealth(redis: Redis, keys: { readonly health: string }) {
  /** A setting of Redis; `undefined` where a managed Redis refuses to answer. */
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

    /** Whether Redis keeps what was written, and could write it last time. */
    async persistence(): Promise<Persistence> {
      const info = await redis.info('persistence');
      return judgePersistence(info, await configOf('appendonly'));
    },

    /** Whether there are replicas that confirm what has to last. */
    async replicas(): Promise<Persistence> {
      const info = await redis.info('replication');
      return judgeReplicas(info, await configOf('min-replicas-to-write'));
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
     * What a start needs of Redis; `report` gets the facts either way.
     * @throws when its policy evicts keys, since that loses accepted jobs, when it is older than 7.0, or writes its file less often than `durability` says.
     */
    async require(report: (facts: RedisFacts) => void, durability: Durability = 'memory'): Promise<void> {
      const facts = await health.facts();
      report(facts);
      if (facts.policy !== 'noeviction' && facts.policy !== 'unknown')
        throw new Error(
          `Redis has maxmemory-policy ${facts.policy}, which loses jobs when memory runs out. Set it to noeviction.`,
        );
      if (Number.parseInt(facts.version, 10) < 7)
        throw new Error(`Redis is version ${facts.version}; at least Redis 7.0 or Valkey 7.2 is needed.`);
      if (durability === 'disk' && facts.appendfsync !== 'always')
        throw new Error(
          `REDIS_DURABILITY is disk, and Redis has ${facts.appendfsync === 'off' ? 'no append-only file' : `appendfsync ${facts.appendfsync}`}: set appendonly yes and appendfsync always, or choose replica or memory.`,
        );
    },
  };
  return health;
}
export type RedisHealth = ReturnType<typeof createRedisHealth>;
