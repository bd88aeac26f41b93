import type { Redis } from '../client.ts';

/** Commands that this service and its queues use on keys, by themselves or in scripts: those whose first argument is their only key. */
const ON_KEYS = `DEL EXISTS PERSIST PEXPIRE PEXPIREAT PTTL TYPE UNLINK
  GET INCR INCRBY MGET SET STRLEN
  HDEL HEXISTS HGET HGETALL HINCRBY HKEYS HLEN HMGET HMSET HRANDFIELD HSET HSETNX HSTRLEN HVALS
  LINDEX LLEN LPOP LPOS LPUSH LRANGE LREM LSET LTRIM RPOP RPUSH
  SADD SCARD SISMEMBER SMEMBERS SREM
  ZADD ZCARD ZCOUNT ZLEXCOUNT ZMSCORE ZPOPMIN ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZREM ZREMRANGEBYRANK ZREMRANGEBYSCORE
  ZREVRANGE ZREVRANGEBYSCORE ZREVRANK ZSCORE
  XADD XDEL XLEN XRANGE XREVRANGE XTRIM`.split(/\s+/);

/** The others, whole: Redis 7.0 dies of a question about a command whose number of keys is missing (*measured*). */
const OF_KEY = (key: string) => [
  ...[`MSET ${key} 1`, `RENAME ${key} ${key}`, `RPOPLPUSH ${key} ${key}`, `BZPOPMIN ${key} 1`, `XREAD STREAMS ${key} 0`],
  ...[`PUBLISH ${key} 1`, `SUBSCRIBE ${key}`],
];
const WITHOUT_KEY = ['EVAL return 0', 'EVALSHA sha 0', 'EXEC', 'INFO', 'MULTI', 'PING', 'SCAN 0', 'TIME', 'WAIT 0 0'];

/** Answers which of the commands in ARGV the user may not give. Nothing is executed. */
const REFUSED = `local refused = {}
for i = 1, #ARGV do
  local words = {}
  for word in string.gmatch(ARGV[i], '%S+') do words[#words + 1] = word end
  local known, may = pcall(redis.acl_check_cmd, unpack(words))
  if known and not may then refused[#refused + 1] = ARGV[i] end
end
return refused`;

/**
 * Whether the user may give every command that is needed, on the keys and channels of these hash tags. It runs nothing.
 * @throws with a sentence that names what is missing.
 */
export async function requireRights(redis: Pick<Redis, 'eval'>, tags: readonly string[]): Promise<void> {
  const keys = tags.map((tag) => `${tag}:any`);
  // One with the key of another slot is only asked about, so it may stand beside those of this one.
  const asked = [...WITHOUT_KEY, ...keys.flatMap((key) => [...OF_KEY(key), ...ON_KEYS.map((name) => `${name} ${key}`)])];
  const refused = ((await redis.eval(REFUSED, 0, ...asked)) as string[]).map((command) => command.toLowerCase());
  if (refused.length === 0) return;
  const names = [...new Set(refused.map((command) => command.split(' ')[0] ?? ''))];
  const whole = ON_KEYS.every((name) => names.includes(name.toLowerCase()));
  const what = whole ? `the keys ${tags.map((tag) => `${tag}:*`).join(' and ')}` : names.join(', ');
  throw new Error(
    `REDIS_URL: the user of Redis may not use ${what}: give it what docs/operations.md lists (“The user of Redis”), as for example\n  ${aclLine(tags)}`,
  );
}

/** What an administrator of Redis says so that a user may do all that is needed. */
const aclLine = (tags: readonly string[]): string =>
  `ACL SETUSER grsai-jobs on >PASSWORD ${tags.map((tag) => `~${tag}:* &${tag}:*`).join(' ')} +@read +@write +@connection +@transaction +@scripting +@pubsub -@dangerous +info +config|get +time +wait +cluster|slots +cluster|keyslot`;
