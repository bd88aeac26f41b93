-- create: a request becomes a record that nobody can lose, once for one idempotency key.
-- order {id, now (as the caller named it: its inputs are stored under that day), due (ms from now), tenant, idem {fingerprint, ttl_ms} or nil, note of its inputs or nil,
--      use, limits, room (see refusal_of)}; doc: the request; fields: field, value
-- Answers {'ok', turn} | {'replay', job id} | {'conflict'} | {'late'} | {'quota', name, limit, used} | {'full'}
local order = cjson.decode(A.order)
local job, due, events, turns, list, idem = K.job, K.due, K.events, K.turns, K.tenant_jobs, K.idempotency

-- The id exists: ioredis has sent the same request twice.
local seen = read_state(job, 'tn')
if guard('create', seen, {}) then return { 'ok', tonumber(seen.tn) } end
if order.idem then
  local known = redis.call('HMGET', idem, 'id', 'fp')
  if known[1] then
    if known[2] ~= order.idem.fingerprint then return { 'conflict' } end
    return { 'replay', known[1] }
  end
end

local refused = refusal_of(K.usage, order)
if refused then return refused end

if order.note then
  local since = redis.call('ZSCORE', K.input_notes, order.note)
  if not since or tonumber(since) == 0 then return { 'late' } end
  redis.call('ZREM', K.input_notes, order.note)
end

redis.call('SET', part_key(job, 'doc'), A.doc)
redis.call('HSET', job, unpack(A.fields))
count_use(K.usage, order.tenant, order.use.redis, order.use.stored, 1)
local turn = next_turn(turns, order.tenant)
count_queued(turns, 1)
redis.call('HSET', job, 'tn', turn, 'due', order.now + order.due)
redis.call('ZADD', due, order.now + order.due, order.id)
redis.call('ZADD', list, order.now, order.id)
if order.idem then
  redis.call('HSET', idem, 'id', order.id, 'fp', order.idem.fingerprint)
  redis.call('PEXPIRE', idem, order.idem.ttl_ms)
end
emit(events, job, order.id, 'job.queued', 0)
return { 'ok', turn }
