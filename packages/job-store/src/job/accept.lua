#!lua
-- accept: a request becomes a record that nobody can lose, once for one idempotency key.
-- KEYS 1 job 2 due 3 events 4 turns 5 tenant's jobs 6 idempotency key (the job key again when there is none) 7 input notes 8 usage
-- ARGV 1 order {id, now, due, tenant, idem {fingerprint, ttl_ms} or nil, note of its inputs or nil, use, limits, room (see refusal_of)} 2.. field, value
-- Answers {'ok', turn} | {'replay', job id} | {'conflict'} | {'late'} | {'quota', name, limit, used} | {'full'}
local order = cjson.decode(ARGV[1])
local job, due, events, turns, list, idem = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]

-- The id was made once by this caller: whoever finds it there is the same request, sent again by the client library.
local mine = redis.call('HGET', job, 'tn')
if mine then return { 'ok', tonumber(mine) } end
if order.idem then
  local known = redis.call('HMGET', idem, 'id', 'fp')
  if known[1] then
    if known[2] ~= order.idem.fingerprint then return { 'conflict' } end
    return { 'replay', known[1] }
  end
end

local refused = refusal_of(KEYS[8], order)
if refused then return refused end

if order.note then
  local since = redis.call('ZSCORE', KEYS[7], order.note)
  if not since or tonumber(since) == 0 then return { 'late' } end
  redis.call('ZREM', KEYS[7], order.note)
end

local fields = {}
for i = 2, #ARGV do fields[i - 1] = ARGV[i] end
redis.call('HSET', job, unpack(fields))
count_use(KEYS[8], order.tenant, order.use.redis, order.use.stored, 1)
local turn = next_turn(turns, order.tenant)
count_queued(turns, 1)
redis.call('HSET', job, 'tn', turn, 'due', order.due)
redis.call('ZADD', due, order.due, order.id)
redis.call('ZADD', list, order.now, order.id)
if order.idem then
  redis.call('HSET', idem, 'id', order.id, 'fp', order.idem.fingerprint)
  redis.call('PEXPIRE', idem, order.idem.ttl_ms)
end
emit(events, job, order.id, 'job.queued', 0)
return { 'ok', turn }
