-- add: an operation is written once.
-- again: one that exists is taken from the worker that holds it
-- Answers 1, or 0 when it exists already
if redis.call('HSETNX', K.operation, 'kind', A.kind) == 0 then
  if A.again then
    redis.call('HDEL', K.operation, 'by', 'open')
    redis.call('ZADD', K.operations, A.due, A.id)
  end
  return 0
end
redis.call('HSET', K.operation, 'order', A.order, 'created', A.due)
redis.call('ZADD', K.operations, A.due, A.id)
return 1
