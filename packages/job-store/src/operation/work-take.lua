#!lua flags=allow-oom
-- work-take: one worker gets the work until its lease is over.
-- KEYS 1 work 2 works
-- ARGV 1 id 2 by 3 now 4 end of the lease
-- `open` stands while a slice is under way: who finds it there comes after a worker that died or froze, which `lost` counts.
-- Answers the work's fields, or nothing when somebody else was first
-- Sent again by the client library: it has the work already.
if redis.call('HGET', KEYS[1], 'by') == ARGV[2] then return redis.call('HGETALL', KEYS[1]) end
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not due or tonumber(due) > tonumber(ARGV[3]) then return {} end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return {}
end
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
if redis.call('HEXISTS', KEYS[1], 'open') == 1 then redis.call('HINCRBY', KEYS[1], 'lost', 1) end
redis.call('HSET', KEYS[1], 'by', ARGV[2], 'open', '1')
return redis.call('HGETALL', KEYS[1])
