#!lua flags=allow-oom
-- move: every move but accept and begin. The row of the table of moves comes with the order; this is its machinery.
-- KEYS 1 job 2 due 3 events 4 turns 5 inflight 6 tenant's failed 7 failed 8 ended 9 delivery 10 tenant's deliveries
--      11 due deliveries 12 counters 13 batch 14 storing 15 late 16 operations 17 operation that finishes the batch 18 pending deliveries
--      19–24 endpoint of the delivery (see attempts.lua) 25 usage
--      (9, 13, 17 and 19–24 are the job key when the move has none)
-- ARGV 1 order {id, token, now, tenant, from, step|nil, by|nil, status and stage ('' keeps both), next, due|nil, inflight|nil (ms, 0 removes), late|nil, turn,
--      event|nil, progress, delivery|nil, counter|nil, del, raise (field to least value), stored (bytes that were stored)} 2.. field, value to set
-- Answers {'ok', step, turn, placed, delivery, job}: placed is '' without a delivery, else whether its first attempt has begun (open,
-- with what that needs), it waits in the room, or needs an entry | {'missing'} | {'stale', state} | {'wrong', state}
local order = cjson.decode(ARGV[1])
local job, due, events, turns, inflight = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

local seen = redis.call('HMGET', job, 'st', 'step', 'sb', 'tok', 'tn', 'batch', 'era', 'use')
local status, step = seen[1], tonumber(seen[2])
if not status then return { 'missing' } end
local delivery = order.delivery
local e = endpoint_named(delivery and delivery.endpoint)
local function answer(turn, placed)
  if placed ~= 'open' then return { 'ok', step, turn, placed } end
  return { 'ok', step, turn, placed, redis.call('HGETALL', KEYS[9]), redis.call('HGETALL', job) }
end
if seen[4] == order.token then
  return answer(tonumber(seen[5] or '0'), delivery and placed_before(e, KEYS[9], delivery.id, delivery.token) or '')
end
local state = state_of(job)
if order.by then
  if seen[3] ~= order.by then return { 'stale', state } end
elseif step ~= order.step then
  return { 'stale', state }
end
-- A job that is being erased has ended, and is not reopened: its objects may be gone.
if seen[7] or not contains(order.from, state) then return { 'wrong', state } end
if order.status == '' then
  order.status, order.stage = status, redis.call('HGET', job, 'sg') or ''
end

local batch_id = seen[6] ~= '' and seen[6] or nil
local was_unknown = batch_id and status == 'failed' and is_unknown(redis.call('HGET', job, 'err'))

local more = 0
for _, field in ipairs(order.del) do more = more - redis.call('HSTRLEN', job, field) end
if #order.del > 0 then redis.call('HDEL', job, unpack(order.del)) end
if #ARGV > 1 then
  local fields = {}
  for i = 2, #ARGV do fields[i - 1] = ARGV[i] end
  for i = 2, #ARGV, 2 do more = more + #ARGV[i + 1] - redis.call('HSTRLEN', job, ARGV[i]) end
  redis.call('HSET', job, unpack(fields))
end
for field, value in pairs(order.raise or {}) do
  if tonumber(redis.call('HGET', job, field) or '0') < value then redis.call('HSET', job, field, value) end
end
if order.next then step = redis.call('HINCRBY', job, 'step', 1) end
redis.call('HSET', job, 'st', order.status, 'sg', order.stage, 'tok', order.token)

local turn = tonumber(seen[5] or '0')
if order.turn then
  turn = next_turn(turns, order.tenant)
  redis.call('HSET', job, 'tn', turn)
end
if status ~= 'queued' and order.status == 'queued' then count_queued(turns, 1) end

-- Where a job can expire that is due too, however long its entry waits.
if order.due and (order.status == 'queued' or order.stage == 'generating') then
  order.due = math.min(order.due, tonumber(redis.call('HGET', job, 'exp')))
end
if order.due then
  redis.call('HSET', job, 'due', order.due)
  redis.call('ZADD', due, order.due, order.id)
else
  redis.call('HDEL', job, 'due')
  redis.call('ZREM', due, order.id)
end
if order.inflight == 0 then
  redis.call('ZREM', inflight, order.id)
elseif order.inflight then
  redis.call('ZADD', inflight, order.inflight, order.id)
end

if status == 'queued' and order.status ~= 'queued' then count_queued(turns, -1) end
if status == 'queued' or order.inflight == 0 then restart_turns(turns, inflight, order.now) end

if order.stage == 'storing' then
  redis.call('ZADD', KEYS[14], 'NX', order.now, order.id)
elseif string.sub(state, -8) == '/storing' then
  redis.call('ZREM', KEYS[14], order.id)
end
if order.late then
  redis.call('ZADD', KEYS[15], order.late, order.id)
else
  redis.call('ZREM', KEYS[15], order.id)
end

if batch_id and order.status ~= status then
  count_in_batch(KEYS[13], batch_id, KEYS[16], KEYS[17], order.now, status, order.status)
  local unknown = order.status == 'failed' and is_unknown(redis.call('HGET', job, 'err'))
  -- A batch that was forgotten must not come back as this one field.
  if was_unknown ~= unknown and redis.call('HEXISTS', KEYS[13], 'st') == 1 then redis.call('HINCRBY', KEYS[13], 'unknown', unknown and 1 or -1) end
end
if TERMINAL[order.status] then
  redis.call('ZADD', KEYS[8], order.now, order.id)
elseif TERMINAL[status] then
  redis.call('ZREM', KEYS[8], order.id)
end
if FAILED[order.status] then
  redis.call('ZADD', KEYS[6], order.now, order.id)
  redis.call('ZADD', KEYS[7], order.now, order.id)
elseif FAILED[status] then
  redis.call('ZREM', KEYS[6], order.id)
  redis.call('ZREM', KEYS[7], order.id)
end
if seen[8] then
  local live = (TERMINAL[status] and 1 or 0) - (TERMINAL[order.status] and 1 or 0)
  count_use(KEYS[25], order.tenant, more, order.stored, live)
  if more ~= 0 then redis.call('HINCRBY', job, 'use', more) end
  if order.stored > 0 then redis.call('HINCRBY', job, 'obj', order.stored) end
end
if order.counter then redis.call('HINCRBY', KEYS[12], order.counter, 1) end

local made = delivery and make_delivery(delivery, order.now)
if made then redis.call('HSET', job, 'whd', delivery.id, 'whs', 'pending') end
if order.event then emit(events, job, order.id, order.event, order.progress) end
if made then redis.call('HSET', KEYS[9], 'seq', redis.call('HGET', job, 'seq')) end
return answer(turn, made and place_delivery(e, KEYS[9], KEYS[11], delivery, order.now) or delivery and 'entry' or '')
