#!lua flags=allow-oom
-- batch-finish: the end of a round, whose results are stored. The owed webhook is written with it.
-- KEYS 1 batch 2 delivery (the batch key when none is owed) 3 tenant's deliveries 4 due deliveries 5 ended batches 6 work that finishes it 7 pending deliveries
-- ARGV 1 order {id, token, now, tenant, round, by (who has the work; nil: does not matter), canceling, status, delivery {id, type, url} or nil} 2 results 3 what is kept of the round
-- Answers 1, or 0 when the round is over already or goes on
local order = cjson.decode(ARGV[1])
local batch = KEYS[1]
local seen = redis.call('HMGET', batch, 'st', 'round', 'n:queued', 'n:running', 'tok')
-- Sent again by the client library.
if seen[5] == order.token then return 1 end
if seen[1] ~= (order.canceling and 'canceling' or 'running') or tonumber(seen[2]) ~= order.round then return 0 end
-- A job that ended anew since the work was taken is not in the results as it is now: the work is there for somebody else.
if order.by and redis.call('HGET', KEYS[6], 'by') ~= order.by then return 0 end
if tonumber(seen[3] or '0') + tonumber(seen[4] or '0') > 0 then return 0 end
redis.call('HSET', batch, 'st', order.status, 'tok', order.token, 'fin', order.now, 'res', ARGV[2], 'past:' .. order.round, ARGV[3])
redis.call('ZADD', KEYS[5], order.now, order.id)
local delivery = order.delivery
if delivery and redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('HSET', KEYS[2], 'id', delivery.id, 'tenant', order.tenant, 'batch_id', order.id, 'run', order.round, 'type', delivery.type,
    'url', delivery.url, 'state', 'pending', 'step', 1, 'tries', 0, 'created', order.now, 'next', order.now)
  redis.call('ZADD', KEYS[3], order.now, delivery.id)
  redis.call('ZADD', KEYS[4], order.now + 30000, delivery.id)
  redis.call('ZADD', KEYS[7], order.now, delivery.id)
  redis.call('HSET', batch, 'whd', delivery.id, 'whs', 'pending')
end
return 1
