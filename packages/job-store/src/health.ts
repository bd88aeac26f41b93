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
  return {
    /** A write, since a full Redis still answers PING (*measured*, design §8). Rejects when Redis does not take it. */
    async write(): Promise<void> {
      await redis.set(keys.health, '1', 'PX', 60_000);
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
  };
}
export type RedisHealth = ReturnType<typeof createRedisHealth>;
