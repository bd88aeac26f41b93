#!lua
-- tell: news of a live job becomes a delivery of its own, with the job as it is now. Not of a job that has ended or is in another run.
-- KEYS 1 job 2 delivery 3 tenant's deliveries 4 due deliveries 5 delivery as a release before named it 6 pending deliveries
-- ARGV 1 order {id, job_id, tenant, run, type, url, now, due, every|nil (ms between two of this kind)}
-- Answers 1 there is one to be sent | 0
local order = cjson.decode(ARGV[1])
local job, delivery = KEYS[1], KEYS[2]
local known = redis.call('HMGET', delivery, 'state', 'step')
if known[1] then return known[1] == 'pending' and known[2] == '1' and 1 or 0 end
if redis.call('EXISTS', KEYS[5]) == 1 then return 0 end
local seen = redis.call('HMGET', job, 'st', 'sg', 'run', 'seq', 'prog', 'whp')
if not seen[1] or TERMINAL[seen[1]] or tonumber(seen[3]) ~= order.run then return 0 end
if order.every then
  if seen[6] and order.now - tonumber(seen[6]) < order.every then return 0 end
  redis.call('HSET', job, 'whp', order.now)
end
redis.call('HSET', delivery, 'id', order.id, 'tenant', order.tenant, 'job_id', order.job_id, 'run', order.run, 'type', order.type,
  'url', order.url, 'state', 'pending', 'step', 1, 'tries', 0, 'created', order.now, 'next', order.now,
  'seq', seen[4] or 0, 'as', seen[1], 'asg', seen[2] or '', 'aprog', seen[5] or 0)
redis.call('ZADD', KEYS[3], order.now, order.id)
redis.call('ZADD', KEYS[4], order.due, order.id)
redis.call('ZADD', KEYS[6], order.now, order.id)
return 1
