-- leave: a slice has ended, or the whole operation, or a slice renews its lease.
-- Without `wait_ms` the operation is over; without `lost` the slice goes on, else so many workers were lost with it from now on.
-- Answers 1, or 0 when the operation is no longer this worker's, or goes on from where it was: another primary may have forgotten what the
-- slice has done
local held = redis.call('HMGET', K.operation, 'by', 'on')
if held[1] ~= A.by then return 0 end
if held[2] ~= PRIMARY then
  redis.call('HDEL', K.operation, 'by', 'open')
  redis.call('ZADD', K.operations, now_of({ now = tonumber(A.now or '') }), A.id)
  return 0
end
if not A.wait_ms then
  redis.call('DEL', K.operation)
  redis.call('ZREM', K.operations, A.id)
else
  redis.call('HSET', K.operation, 'cursor', A.cursor)
  if A.lost then
    redis.call('HDEL', K.operation, 'open')
    redis.call('HSET', K.operation, 'lost', A.lost)
  end
  redis.call('ZADD', K.operations, now_of({ now = tonumber(A.now or '') }) + A.wait_ms, A.id)
end
return 1
