-- leave: a slice has ended, or the whole operation, or a slice renews its lease.
-- Without `due` the operation is over; without `lost` the slice goes on, else so many workers were lost with it from now on.
-- Answers 1, or 0 when the operation is no longer this worker's
if redis.call('HGET', K.operation, 'by') ~= A.by then return 0 end
if not A.due then
  redis.call('DEL', K.operation)
  redis.call('ZREM', K.operations, A.id)
else
  redis.call('HSET', K.operation, 'cursor', A.cursor)
  if A.lost then
    redis.call('HDEL', K.operation, 'open')
    redis.call('HSET', K.operation, 'lost', A.lost)
  end
  redis.call('ZADD', K.operations, A.due, A.id)
end
return 1
