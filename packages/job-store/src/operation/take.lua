-- take: one worker gets the operation until its lease ends.
-- `open` stands while a slice is under way: who finds it there comes after a worker that died or froze, which `lost` counts.
-- Answers the operation's fields, or nothing when somebody else was first
-- Sent again by the client library: it has the operation already.
if redis.call('HGET', K.operation, 'by') == A.by then return redis.call('HGETALL', K.operation) end
local due = redis.call('ZSCORE', K.operations, A.id)
if not due or tonumber(due) > tonumber(A.now) then return {} end
if redis.call('EXISTS', K.operation) == 0 then
  redis.call('ZREM', K.operations, A.id)
  return {}
end
redis.call('ZADD', K.operations, A.lease_ends, A.id)
if redis.call('HEXISTS', K.operation, 'open') == 1 then redis.call('HINCRBY', K.operation, 'lost', 1) end
redis.call('HSET', K.operation, 'by', A.by, 'open', '1')
return redis.call('HGETALL', K.operation)
