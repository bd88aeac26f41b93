-- work-leave: a slice is over, or the whole work, or a slice goes on.
-- Without `due` the work is over; without `lost` the slice goes on, else so many workers were lost with it from now on.
-- Answers 1, or 0 when the work is no longer this worker's
if redis.call('HGET', K.work, 'by') ~= A.by then return 0 end
if not A.due then
  redis.call('DEL', K.work)
  redis.call('ZREM', K.works, A.id)
else
  redis.call('HSET', K.work, 'cursor', A.cursor)
  if A.lost then
    redis.call('HDEL', K.work, 'open')
    redis.call('HSET', K.work, 'lost', A.lost)
  end
  redis.call('ZADD', K.works, A.due, A.id)
end
return 1
