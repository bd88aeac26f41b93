-- retry-failed: the jobs of a batch that have failed by now are to be reopened, by an operation.
-- key: the Idempotency-Key of who asks; told: what it is answered; status, round: of the batch as it was read for that
-- Answers {1}, {0} when an operation is under way already, {2, what was told} when this key has ordered it before, or {3} when the batch is not as
-- it was read: it has ended, is being canceled, or is gone
if A.key then
  local seen = redis.call('HMGET', K.batch, 'rk', 'rt')
  if seen[1] == A.key then return { 2, seen[2] } end
end
local now = redis.call('HMGET', K.batch, 'st', 'round')
if A.status and (now[1] ~= A.status or now[2] ~= A.round) then return { 3 } end
if redis.call('HSETNX', K.operation, 'kind', A.kind) == 0 then return { 0 } end
-- A cancel of before is not meant; one that comes from here on is.
redis.call('HDEL', K.batch, 'cx', 'rk', 'rt')
if A.key then redis.call('HSET', K.batch, 'rk', A.key, 'rt', A.told) end
redis.call('HSET', K.operation, 'order', A.order, 'created', A.due)
redis.call('ZADD', K.operations, A.due, A.id)
return { 1 }
