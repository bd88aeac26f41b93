#!lua
-- batch-commit: the end of the body. From now on the batch is there, and each of its jobs reaches an end.
-- KEYS 1 batch 2 works 3 erase work 4 open work 5 expire work 6 tenant's batches 7 ids of its jobs 8 claim (the batch key when there is none)
-- ARGV 1 order {id, now, total, invalid, exp (when what waits is expired), claim {by, fingerprint, ttl_ms} or nil}
-- Answers 1, or 0 when the batch is no longer open, its claim is lost, or lines are missing
local order = cjson.decode(ARGV[1])
local batch, works = KEYS[1], KEYS[2]
local st = redis.call('HGET', batch, 'st')
if not st or st == 'erasing' then return 0 end
-- Sent again by the client library.
if st ~= 'validating' then return 1 end
if redis.call('LLEN', KEYS[7]) ~= order.total then return 0 end
if order.claim then
  if redis.call('HGET', KEYS[8], 'by') ~= order.claim.by then return 0 end
  redis.call('DEL', KEYS[8])
  redis.call('HSET', KEYS[8], 'id', order.id, 'fp', order.claim.fingerprint)
  redis.call('PEXPIRE', KEYS[8], order.claim.ttl_ms)
end
redis.call('HSET', batch, 'st', 'running', 'round', 1, 'total', order.total, 'n:queued', order.total, 'invalid', order.invalid)
redis.call('ZADD', KEYS[6], redis.call('HGET', batch, 'cr'), order.id)
redis.call('DEL', KEYS[3])
redis.call('ZREM', works, 'batch-erase:' .. order.id)
add_work(KEYS[4], works, 'batch-open:' .. order.id, 'batch-open', { batch_id = order.id }, order.now)
add_work(KEYS[5], works, 'batch-expire:' .. order.id, 'batch-expire', { batch_id = order.id }, order.exp)
return 1
