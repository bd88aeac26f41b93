-- create: a request becomes a record that nobody can lose, once for one idempotency key.
-- order {id, now (as the caller named it: its inputs are stored under that day), due (ms from now), tenant, idem {fingerprint, ttl_ms} or nil, note of its inputs or nil,
--      use, limits, room (see refusal_of), queued (how many jobs of the tenant may be; see queue_refusal), queue, priority}; doc: the request; fields: field, value
-- Answers {'ok', turn, or 0 in a room} | {'replay', job id} | {'conflict'} | {'late'} | {'quota', name, limit, used} | {'full'} |
-- {'queue', limit, queued, 1}
local order = cjson.decode(A.order)
local job, events, turns, list, idem = K.job, K.events, K.turns, K.tenant_jobs, K.idempotency

local function remember_key()
  redis.call('HSET', idem, 'id', order.id, 'fp', order.idem.fingerprint)
  redis.call('PEXPIRE', idem, order.idem.ttl_ms)
end
local known = order.idem and redis.call('HMGET', idem, 'id', 'fp')

-- The id exists: ioredis has sent the same request twice, or somebody has made it again whose primary had forgotten it, without its key.
local seen = read_state(job, 'tn')
if guard('create', seen, {}) then
  if known and not known[1] then remember_key() end
  return { 'ok', tonumber(seen.tn) }
end
if known and known[1] then
  if known[2] ~= order.idem.fingerprint then return { 'conflict' } end
  return { 'replay', known[1] }
end

local refused = refusal_of(K.usage, K.spent, order) or queue_refusal(order.tenant, order.queued, 1)
if refused then return refused end

if order.note then
  local since = redis.call('ZSCORE', K.input_notes, order.note)
  if not since or tonumber(since) == 0 then return { 'late' } end
  redis.call('ZREM', K.input_notes, order.note)
end

redis.call('SET', part_key(job, 'doc'), A.doc)
count_use(K.usage, order.tenant, order.use.redis, order.use.stored, 1)
local turn = enter(order.queue, order.tenant, order.id, order.priority, order.now)
local due = turn == 0 and order.exp or order.now + order.due
count_queued(turns, 1)
redis.call('HSET', job, 'tn', turn, 'due', due, 'seq', '1', unpack(A.fields))
redis.call('ZADD', K.due, due, order.id)
redis.call('ZADD', list, order.now, order.id)
if order.idem then remember_key() end
emit(events, { id = order.id, seq = '1', type = 'job.queued', progress = '0', status = 'queued', stage = '', run = '1' })
return { 'ok', turn }
