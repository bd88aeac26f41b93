-- take: one worker gets the operation until its lease ends.
-- now: as tests give it; else the time of Redis
-- `open` stands while a slice is under way: who finds it there comes after a worker that died or froze, which `lost` counts, or after another
-- primary, which may have forgotten how the slice ended. `on` is the primary on which it began.
-- Answers the operation's fields, or nothing when somebody else was first
-- Sent again by the client library: it has the operation already.
if redis.call('HGET', K.operation, 'by') == A.by then return redis.call('HGETALL', K.operation) end
local now = now_of({ now = tonumber(A.now or '') })
local due = redis.call('ZSCORE', K.operations, A.id)
if not due or tonumber(due) > now then return {} end
if redis.call('EXISTS', K.operation) == 0 then
  redis.call('ZREM', K.operations, A.id)
  return {}
end
redis.call('ZADD', K.operations, now + A.lease_ms, A.id)
local slice = redis.call('HMGET', K.operation, 'open', 'on')
if slice[1] and slice[2] == PRIMARY then redis.call('HINCRBY', K.operation, 'lost', 1) end
redis.call('HSET', K.operation, 'by', A.by, 'open', '1', 'on', PRIMARY)
return redis.call('HGETALL', K.operation)
