-- transition: one transition of a job, all or nothing. Which states it may start from and who may make it stands in the table.
-- order {id, row, token, now|nil, tenant, step|nil or lease|nil, from|nil (fewer than the row), status and stage ('' keeps both),
--      due (ms from now | 'lease' | 'keep' | nil: none), inflight|nil (ms, 0 removes), late|nil (ms), turn, event|nil, progress,
--      delivery|nil, counter|nil, del, stamps (field to ms from now), raise (field to least value), stored (bytes that were stored)}
-- fields: field, value to set
-- Answers {'ok', at, step, turn, ver, seq, state, placed, delivery, job}: placed is '' without a delivery, else whether its first attempt has
-- begun (open, with what that needs), it waits in the room, or needs an entry | {'missing'} | {'stale', state} | {'wrong', state}

-- What scripts set as well: short, and in what is counted for each record from the start.
local OF_EACH_RECORD = { sb = true, sa = true, su = true, fin = true, sub = true, polled = true, exp = true, prog = true, polls = true, spent = true }
local order = cjson.decode(A.order)
local job, due, events, turns, inflight = K.job, K.due, K.events, K.turns, K.inflight
local now = now_of(order)

local seen = read_state(job, 'tok', 'at', 'tn', 'batch', 'use', 'ver', 'err')
if not seen.state then return { 'missing' } end
local delivery = order.delivery
local e = endpoint_named(delivery and delivery.endpoint)
local step, turn, ver, happened = seen.step, tonumber(seen.tn or '0'), tonumber(seen.ver or '1'), now
local function answer(placed)
  local state = redis.call('HMGET', job, 'seq', 'st', 'sg')
  local name = (state[3] or '') == '' and state[2] or state[2] .. '/' .. state[3]
  local reply = { 'ok', happened, step, turn, ver, tonumber(state[1] or '0'), name, placed }
  if placed == 'open' then reply[9], reply[10] = redis.call('HGETALL', K.delivery), read_job(job) end
  return reply
end
if seen.tok == order.token then
  happened = tonumber(seen.at or now)
  return answer(delivery and placed_before(e, K.delivery, delivery.id, delivery.token) or '')
end
local refused = guard(order.row, seen, order)
if not refused and order.from and not contains(order.from, seen.state) then refused = 'wrong' end
if refused then return { refused, seen.state } end

local status = seen.status
if order.status == '' then order.status, order.stage = status, seen.stage end
local batch_id = seen.batch ~= '' and seen.batch or nil
local was_unknown = batch_id and status == 'failed' and is_unknown(seen.err)

local fields, more = {}, 0
local function count(field, bytes)
  if not OF_EACH_RECORD[field] then more = more + bytes - bytes_of(job, field) end
end
local function set(field, value)
  fields[#fields + 1], fields[#fields + 2] = field, value
end
for i = 1, #A.fields, 2 do
  local field, value = A.fields[i], A.fields[i + 1]
  count(field, #value)
  if IS_PART[field] then redis.call('SET', part_key(job, field), value) else set(field, value) end
end
for _, field in ipairs(order.del) do
  count(field, 0)
  if IS_PART[field] then redis.call('DEL', part_key(job, field)) else redis.call('HDEL', job, field) end
end
for field, ms in pairs(order.stamps) do set(field, now + ms) end
for field, value in pairs(order.raise) do
  if tonumber(redis.call('HGET', job, field) or '0') < value then set(field, value) end
end
if transition_row(order.row).step == 'next' then step = step + 1 end
if order.turn then turn = next_turn(turns, order.tenant) end
ver = ver + 1
set('st', order.status)
set('sg', order.stage)
set('step', step)
set('tn', turn)
set('ver', ver)
set('tok', order.token)
set('at', now)
redis.call('HSET', job, unpack(fields))

if status ~= 'queued' and order.status == 'queued' then count_queued(turns, 1) end
local at = order.due
if at == 'lease' then at = tonumber(redis.call('HGET', job, 'su'))
elseif type(at) == 'number' then
  at = now + at
  -- Where a job can expire that is due too, however long its entry waits.
  if order.status == 'queued' or order.stage == 'generating' then at = math.min(at, tonumber(redis.call('HGET', job, 'exp'))) end
end
if at == nil then
  redis.call('HDEL', job, 'due')
  redis.call('ZREM', due, order.id)
elseif at ~= 'keep' then
  redis.call('HSET', job, 'due', at)
  redis.call('ZADD', due, at, order.id)
end
if order.inflight == 0 then
  redis.call('ZREM', inflight, order.id)
elseif order.inflight then
  redis.call('ZADD', inflight, now + order.inflight, order.id)
end

if status == 'queued' and order.status ~= 'queued' then count_queued(turns, -1) end
if status == 'queued' or order.inflight == 0 then restart_turns(turns, inflight, now) end

if order.stage == 'storing' then
  redis.call('ZADD', K.storing, 'NX', now, order.id)
elseif string.sub(seen.state, -8) == '/storing' then
  redis.call('ZREM', K.storing, order.id)
end
-- Of a canceled job nobody waits for what its task may still bring.
if order.late and order.status ~= 'canceled' then
  redis.call('ZADD', K.late, now + order.late, order.id)
else
  redis.call('ZREM', K.late, order.id)
end

if batch_id and order.status ~= status then
  count_in_batch(K.batch, batch_id, K.operations, K.finish, now, status, order.status)
  local unknown = order.status == 'failed' and is_unknown(redis.call('HGET', job, 'err'))
  -- A batch that was forgotten must not come back as this one field.
  if was_unknown ~= unknown and redis.call('HEXISTS', K.batch, 'st') == 1 then redis.call('HINCRBY', K.batch, 'unknown', unknown and 1 or -1) end
end
if order.status ~= status then
  if TERMINAL[order.status] then
    redis.call('ZADD', K.ended, now, order.id)
  elseif TERMINAL[status] then
    redis.call('ZREM', K.ended, order.id)
  end
  if FAILED[order.status] then
    redis.call('ZADD', K.tenant_failed, now, order.id)
    redis.call('ZADD', K.failed, now, order.id)
  elseif FAILED[status] then
    redis.call('ZREM', K.tenant_failed, order.id)
    redis.call('ZREM', K.failed, order.id)
  end
end
if seen.use then
  local live = (TERMINAL[status] and 1 or 0) - (TERMINAL[order.status] and 1 or 0)
  count_use(K.usage, order.tenant, more, order.stored, live)
  if more ~= 0 then redis.call('HINCRBY', job, 'use', more) end
  if order.stored > 0 then redis.call('HINCRBY', job, 'obj', order.stored) end
end
if order.counter then redis.call('HINCRBY', K.counters, order.counter, 1) end

local made = delivery and make_delivery(delivery, now)
if made then redis.call('HSET', job, 'whd', delivery.id, 'whs', 'pending') end
if order.event then emit(events, job, order.id, order.event, order.progress) end
if made then redis.call('HSET', K.delivery, 'seq', redis.call('HGET', job, 'seq')) end
return answer(made and place_delivery(e, K.delivery, K.due_deliveries, delivery, now) or delivery and 'entry' or '')
