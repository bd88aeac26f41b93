-- commit: the end of the body. From now on the batch is there, and each of its jobs reaches an end.
-- order {id, now (as the caller named it), at (as tests give the time) or nil, tenant, total, invalid, exp (when what waits is expired), claim {by, fingerprint, ttl_ms} or nil, queued (how many jobs of
--      the tenant may be; see queue_refusal)}
-- Answers {'ok', jobs that were let in}, {'gone'} when the batch is no longer open, its claim is lost, or lines are missing, which another primary
-- may have forgotten, or {'queue', limit, queued, lines}
local order = cjson.decode(A.order)
local batch, operations = K.batch, K.operations
local st = redis.call('HGET', batch, 'st')
if not st or st == 'discarding' then return { 'gone' } end
-- Sent again by the client library: the entries of what was let in are added by a repair.
if st ~= 'validating' then return { 'ok', {} } end
if redis.call('LLEN', K.job_ids) ~= order.total or redis.call('LLEN', K.errors) < order.invalid then return { 'gone' } end
local refused = queue_refusal(order.tenant, order.queued, order.total)
if refused then return refused end
if order.claim then
  if redis.call('HGET', K.claim, 'by') ~= order.claim.by then return { 'gone' } end
  redis.call('DEL', K.claim)
  redis.call('HSET', K.claim, 'id', order.id, 'fp', order.claim.fingerprint)
  redis.call('PEXPIRE', K.claim, order.claim.ttl_ms)
end
redis.call('HSET', batch, 'st', 'running', 'round', 1, 'total', order.total, 'invalid', order.invalid)
-- A call may be in flight that began before a failover forgot this commit.
redis.call('HINCRBY', batch, 'n:queued', order.total)
redis.call('ZADD', K.tenant_batches, redis.call('HGET', batch, 'cr'), order.id)
count_queued(K.turns, order.total)
redis.call('DEL', K.discard)
redis.call('ZREM', operations, 'batch-discard:' .. order.id)
add_operation(K.list, operations, 'batch-list:' .. order.id, 'batch-list', { batch_id = order.id }, order.now)
add_operation(K.expire, operations, 'batch-expire:' .. order.id, 'batch-expire', { batch_id = order.id }, order.exp)
local limits, entries = account_limits(), {}
for _, queue in ipairs({ 'call', 'submit' }) do
  batch_waits(queue, order.tenant, order.id)
  let_in(limits, queue, order.tenant, LET_IN, now_of({ now = order.at }), entries)
end
return { 'ok', entries }
