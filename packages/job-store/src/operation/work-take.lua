-- work-take: one worker gets the work until its lease is over.
-- `open` stands while a slice is under way: who finds it there comes after a worker that died or froze, which `lost` counts.
-- Answers the work's fields, or nothing when somebody else was first
-- Sent again by the client library: it has the work already.
if redis.call('HGET', K.work, 'by') == A.by then return redis.call('HGETALL', K.work) end
local due = redis.call('ZSCORE', K.works, A.id)
if not due or tonumber(due) > tonumber(A.now) then return {} end
if redis.call('EXISTS', K.work) == 0 then
  redis.call('ZREM', K.works, A.id)
  return {}
end
redis.call('ZADD', K.works, A.lease_ends, A.id)
if redis.call('HEXISTS', K.work, 'open') == 1 then redis.call('HINCRBY', K.work, 'lost', 1) end
redis.call('HSET', K.work, 'by', A.by, 'open', '1')
return redis.call('HGETALL', K.work)
