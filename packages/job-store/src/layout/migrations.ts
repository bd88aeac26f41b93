import type { Redis } from '@grsai-jobs/redis';
import type { Keys } from './keys.ts';

/**
 * Brings data of one version to the next one. It may stop half way and run again, and two processes may run it at the same time, so
 * each part of it must be harmless on data that is already converted.
 */
export type Migration = (redis: Redis, keys: Keys) => Promise<void>;

/** By the version that they start from. */
export const MIGRATIONS: Readonly<Record<number, Migration>> = {
  1: async (redis, keys) => {
    await renameOperations(redis, keys);
    await renameAttempts(redis, keys);
    await splitRecords(redis, keys);
  },
  2: splitPermits,
  3: openBatches,
};

const KINDS: Readonly<Record<string, string>> = { 'batch-erase': 'batch-discard', 'batch-strike': 'batch-redact' };

/** Operations stood as `work:<id>` in the set `works`, two of their kinds had other names, and a batch that is discarded was `erasing`. */
async function renameOperations(redis: Redis, keys: Keys): Promise<void> {
  const before = {
    set: keys.operations.replace(/operations$/, 'works'),
    key: keys.operation('').replace(/operation:$/, 'work:'),
  };
  const listed = await redis.zrange(before.set, '0', '-1', 'WITHSCORES');
  for (let i = 0; i < listed.length; i += 2) {
    const [old = '', due = ''] = listed.slice(i, i + 2);
    const [kind = '', subject = ''] = old.split(/:(.*)/s);
    const named = KINDS[kind] ?? kind;
    const id = `${named}:${subject}`;
    if ((await redis.exists(before.key + old)) === 1) await redis.rename(before.key + old, keys.operation(id)).catch(ignoreGone);
    if (await redis.exists(keys.operation(id))) await redis.hset(keys.operation(id), 'kind', named);
    if (kind === 'batch-erase' && (await redis.hget(keys.batch(subject), 'st')) === 'erasing')
      await redis.hset(keys.batch(subject), 'st', 'discarding');
    await redis.multi().zadd(keys.operations, 'NX', due, id).zrem(before.set, old).exec();
  }
}

/** Another process has just renamed it. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof Error && error.message.includes('no such key'))) throw error;
}

/** A delivery counted its attempts in `tries`. */
async function renameAttempts(redis: Redis, keys: Keys): Promise<void> {
  for await (const names of redis.scanStream({ match: `${keys.delivery('')}*`, count: 1000 }) as AsyncIterable<string[]>) {
    const counts = await Promise.all(names.map((name) => redis.hget(name, 'tries')));
    const renamed = names.flatMap((name, i) => {
      const made = counts[i];
      return typeof made === 'string' ? [redis.multi().hsetnx(name, 'made', made).hdel(name, 'tries').exec()] : [];
    });
    await Promise.all(renamed);
  }
}

/** In one step, since another process may be at work on the record already. The hash is written anew: it would stay in the large form. */
const SPLIT_RECORD = `#!lua flags=allow-oom
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' or redis.call('HEXISTS', KEYS[1], 'doc') == 0 then return 0 end
local fields, rest = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if name == 'doc' or name == 'out' or name == 'att' then
    redis.call('SET', KEYS[1] .. ':' .. name, value)
  else
    rest[#rest + 1], rest[#rest + 2] = name, value
  end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(rest))
return 1`;

/** The request, the output and the attempts of a job were fields of its hash. */
async function splitRecords(redis: Redis, keys: Keys): Promise<void> {
  for await (const names of redis.scanStream({ match: `${keys.job('')}*`, count: 1000 }) as AsyncIterable<string[]>)
    await Promise.all(names.map((name) => redis.eval(SPLIT_RECORD, 1, name)));
}

/** In one step, since another process may return the permit. */
const SPLIT_PERMIT = `#!lua flags=allow-oom
local till = redis.call('ZSCORE', KEYS[1], ARGV[1])
local job = redis.call('HMGET', KEYS[2], 'q', 'tenant')
if not till or not job[1] or not job[2] then return 0 end
redis.call('ZADD', KEYS[1] .. ':' .. job[1] .. ':' .. job[2], till, ARGV[1])
if job[1] == 'call' then redis.call('ZADD', KEYS[1] .. ':call', till, ARGV[1]) end
return 1`;

/** Permits were counted over all queues and tenants only. Jobs that are queued have an entry already, and need no seat. */
async function splitPermits(redis: Redis, keys: Keys): Promise<void> {
  for (const id of await redis.zrange(keys.inflight, '0', '-1'))
    await redis.eval(SPLIT_PERMIT, 2, keys.inflight, keys.job(id), id);
}

/** In one step, since another process may be at work on the line already. A committed line waits in the room of its tenant. */
const OPEN_LINE = `#!lua flags=allow-oom
local job, waiting, turns, due, tenants = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local seen = redis.call('HMGET', job, 'st', 'q', 'tenant', 'pr', 'cr', 'exp')
if seen[1] ~= 'validating' then return 0 end
redis.call('HSET', job, 'st', 'queued', 'tn', 0)
redis.call('ZADD', due, seen[6], ARGV[1])
redis.call('ZADD', tenants .. seen[3] .. ':jobs', seen[5], ARGV[1])
if ARGV[2] == 'discard' then return 1 end
local rank = seen[4] == 'high' and 0 or seen[4] == 'low' and 2 or 1
local queue = waiting .. ':' .. seen[2]
redis.call('ZADD', queue .. ':' .. seen[3], rank * 1e14 + tonumber(seen[5]), ARGV[1])
redis.call('ZADD', queue, 'NX', redis.call('HGET', turns, seen[3]) or 0, seen[3])
redis.call('HINCRBY', turns, '#queued', 1)
return 1`;

/** Lines had a state of their own, \`validating\`, until an operation opened them after the commit of their batch. */
async function openBatches(redis: Redis, keys: Keys): Promise<void> {
  const operations = await redis.zrange(keys.operations, '0', '-1');
  const tenants = keys.tenant('');
  for (const id of operations) {
    const [, kind, batch] = /^batch-(open|discard):(.+)$/.exec(id) ?? [];
    if (kind === undefined || batch === undefined) continue;
    for (const line of await redis.lrange(keys.batchJobs(batch), 0, -1))
      await redis.eval(OPEN_LINE, 5, keys.job(line), keys.waiting, keys.turns, keys.due, tenants, line, kind);
    if (kind === 'open') await redis.multi().zrem(keys.operations, id).del(keys.operation(id)).exec();
    // Its cancel had passed over what was not opened.
    if (kind === 'open' && (await redis.hget(keys.batch(batch), 'st')) === 'canceling') {
      const cancel = `batch-cancel:${batch}`;
      const order = JSON.stringify({ batch_id: batch });
      await redis
        .multi()
        .del(keys.operation(cancel))
        .hset(keys.operation(cancel), 'kind', 'batch-cancel', 'order', order, 'created', 0)
        .zadd(keys.operations, 'NX', 0, cancel)
        .exec();
    }
  }
  for (const tenant of await redis.smembers(keys.tenants)) await redis.del(`${keys.waiting}:#opening:${tenant}`);
}
