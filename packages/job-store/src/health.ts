import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';

/** What a start and a readiness check need to know of Redis (design §8). */
export interface RedisFacts {
  version: string;
  policy: string;
  appendfsync: 'always' | 'everysec' | 'no' | 'off';
}

const lineOf = (info: string, name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';

export function createRedisHealth(redis: Redis, keys: Keys) {
  const health = {
    /** A write, since a full Redis still answers PING (*measured*, design §8). Rejects when Redis does not take it. */
    async write(): Promise<void> {
      await redis.set(keys.health, '1', 'PX', 60_000);
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
      let appendfsync: RedisFacts['appendfsync'] = lineOf(info, 'aof_enabled') === '1' ? 'everysec' : 'off';
      let policy = lineOf(info, 'maxmemory_policy');
      // A managed Redis may refuse CONFIG; INFO then says enough.
      const config = (await redis.config('GET', 'appendfsync').catch(() => null)) as string[] | null;
      if (appendfsync !== 'off' && config?.[1]) appendfsync = config[1] as RedisFacts['appendfsync'];
      if (policy === '') policy = 'unknown';
      return { version: lineOf(info, 'valkey_version') || lineOf(info, 'redis_version'), policy, appendfsync };
    },

    /**
     * What a start needs of Redis (design §8); `tell` gets the facts either way.
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
