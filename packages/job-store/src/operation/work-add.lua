-- work-add: long work is written down once.
-- renew: whoever has it at this moment must not end it
-- Answers 1, or 0 when it is there already
if redis.call('HSETNX', K.work, 'kind', A.kind) == 0 then
  if A.renew then
    redis.call('HDEL', K.work, 'by', 'open')
    redis.call('ZADD', K.works, A.due, A.id)
  end
  return 0
end
redis.call('HSET', K.work, 'order', A.order, 'created', A.due)
redis.call('ZADD', K.works, A.due, A.id)
return 1
