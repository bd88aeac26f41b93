import { Redis } from 'ioredis';

/** How a value of each type is read whole, as the texts in it. */
const READERS: Readonly<Record<string, (redis: Redis, key: string) => Promise<unknown>>> = {
  string: (redis, key) => redis.get(key),
  hash: (redis, key) => redis.hgetall(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: (redis, key) => redis.smembers(key),
  zset: (redis, key) => redis.zrange(key, '0', '-1', 'WITHSCORES'),
  stream: (redis, key) => redis.xrange(key, '-', '+'),
};

/** All that a stolen dump would show: each key, in order, with its value as text. */
export async function everythingInRedis(url: string): Promise<{ where: string; text: string }[]> {
  const redis = new Redis(url);
  try {
    const keys = (await redis.keys('*')).sort();
    return await Promise.all(
      keys.map(async (key) => {
        const type = await redis.type(key);
        const read = READERS[type];
        if (read === undefined && type !== 'none') throw new Error(`${key} is a ${type}, which nobody reads here`);
        return { where: key, text: `${key} ${JSON.stringify(await read?.(redis, key))}` };
      }),
    );
  } finally {
    redis.disconnect();
  }
}

/** The keys that fit a pattern, in order. */
export async function keysInRedis(url: string, pattern: string): Promise<string[]> {
  const redis = new Redis(url);
  try {
    return (await redis.keys(pattern)).sort();
  } finally {
    redis.disconnect();
  }
}
