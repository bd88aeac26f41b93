-- transition: one transition of a job, all or nothing. Which states it may start from and who may make it stands in the table.
-- order {id, row, token, now|nil, tenant, step|nil or lease|nil, from|nil (fewer than the row), status and stage ('' keeps both),
--      due (ms from now | 'lease' | 'keep' | nil: none), inflight|nil (ms, 0 removes), late|nil (ms), turn (true, or 'room': it may have to wait
--      there) | false, priority, event|nil, progress,
--      not_before|nil (ms since 1970), ver|nil (as the caller knows it), delivery|nil, counter|nil, cost|nil (see settle_cost), unsent (its call was not made)|nil, del, stamps (field to ms from now), raise (field to least value), stored (bytes that were stored)}
-- fields: field, value to set
-- Answers {'ok', at, step, turn, ver, seq, state, placed, jobs that were let in, delivery, job}: placed is '' without a delivery, else whether its first attempt has
-- begun (open, with what that needs unless ver is what it was), it waits in the room, or needs an entry | {'missing'} | {'stale', state} | {'wrong', state} | {'early', state}

-- What scripts set as well: short, and in what is counted for each record from the start.
local function is_of_each_record(field)
  return field == 'sb' or field == 'sa' or field == 'su' or field == 'started' or field == 'fin' or field == 'sub' or field == 'polled' or field == 'exp'
    or field == 'prog' or field == 'polls' or field == 'spent' or field == 'fm' or field == 'px' or field == 'pt' or field == 'mdl'
end
local order = cjson.decode(A.order)
local job, due, events, turns = K.job, K.due, K.events, K.turns
local now = now_of(order)

local seen = read_state(job, 'tok', 'at', 'tn', 'batch', 'use', 'obj', 'ver', 'err', 'seq', 'run', 'su', 'exp', 'q', 'cr', 'px', 'rsv', 'sub')
if not seen.state then return { 'missing' } end
local submitted = tonumber(seen.sub or '0')
local delivery = order.delivery
local e = endpoint_named(delivery and delivery.endpoint)
local step, turn, ver, seq, happened = seen.step, tonumber(seen.tn or '0'), tonumber(seen.ver or '1'), tonumber(seen.seq or '0'), now
-- Whoever knows the job as it was knows it now; others get what the attempt needs that has begun.
local known = order.ver == ver
local entries = {}
local function answer(state, placed)
  local reply = { 'ok', happened, step, turn, ver, seq, state, placed, entries }
  if placed == 'open' and not known then reply[10], reply[11] = redis.call('HGETALL', K.delivery), read_job(job) end
  return reply
end
if seen.tok == order.token then
  happened, known = tonumber(seen.at or now), false
  return answer(seen.state, delivery and placed_before(e, K.delivery, delivery.id, delivery.token) or '')
end
local refused = guard(order.row, seen, order)
if not refused and order.from and not contains(order.from, seen.state) then refused = 'wrong' end
if not refused and order.not_before and now + CLOCKS_AGREE_MS < order.not_before then refused = 'early' end
if refused then return { refused, seen.state } end

local status = seen.status
if order.status == '' then order.status, order.stage = status, seen.stage end
local state = order.stage == '' and order.status or order.status .. '/' .. order.stage
local batch_id = seen.batch ~= '' and seen.batch or nil
local was_unknown = batch_id and status == 'failed' and is_unknown(seen.err)

-- What is written of the record, in one command each: fields and their values, parts and theirs, and fields that go. `seen` goes with it.
local fields, parts, gone, more = {}, {}, {}, 0
local function count(field, bytes)
  if not is_of_each_record(field) then more = more + bytes - bytes_of(job, field) end
end
local function set(field, value)
  fields[#fields + 1], fields[#fields + 2], seen[field] = field, value, value
end
for i = 1, #A.fields, 2 do
  local field, value = A.fields[i], A.fields[i + 1]
  count(field, #value)
  if is_part(field) then parts[#parts + 1], parts[#parts + 2] = part_key(job, field), value else set(field, value) end
end
for _, field in ipairs(order.del) do
  count(field, 0)
  if is_part(field) then redis.call('DEL', part_key(job, field)) else gone[#gone + 1], seen[field] = field, nil end
end
for field, ms in pairs(order.stamps) do set(field, now + ms) end
for field, value in pairs(order.raise) do
  if tonumber(redis.call('HGET', job, field) or '0') < value then set(field, value) end
end
if has_next_step(order.row) then step = step + 1 end
if order.turn then
  turn = order.turn == 'room' and enter(seen.q, order.tenant, order.id, order.priority, seen.cr) or next_turn(turns, order.tenant)
end
ver = ver + 1
set('st', order.status)
set('sg', order.stage)
set('step', step)
set('tn', turn)
set('ver', ver)
set('tok', order.token)
set('at', now)

if status ~= 'queued' and order.status == 'queued' then count_queued(turns, 1) end
local at = order.due
if at == 'lease' then at = tonumber(seen.su)
elseif type(at) == 'number' then
  at = now + at
  if order.turn == 'room' and turn == 0 then at = tonumber(seen.exp) end
  -- Where a job can expire that is due too, however long its entry waits.
  if may_expire(state) then at = math.min(at, tonumber(seen.exp)) end
end
if at == nil then
  gone[#gone + 1] = 'due'
  redis.call('ZREM', due, order.id)
elseif at ~= 'keep' then
  set('due', at)
  redis.call('ZADD', due, at, order.id)
end
if order.unsent then
  local left = redis.call('HGET', K.rpm, 'left')
  if left then redis.call('HSET', K.rpm, 'left', tostring(tonumber(left) + 1)) end
end
local returned = false
if order.inflight == 0 then
  returned = return_permit(seen.q, order.tenant, order.id)
elseif order.inflight then
  take_permit(seen.q, order.tenant, order.id, now + order.inflight)
end

if status == 'queued' and order.status ~= 'queued' then
  leave(seen.q, order.tenant, order.id, batch_id)
elseif status ~= 'queued' and order.status == 'queued' and order.turn ~= 'room' then
  set_aside(seen.q, order.tenant, order.id, 'backoff', now)
end
if status == 'queued' and order.status ~= 'queued' then count_queued(turns, -1) end
if status == 'queued' or order.inflight == 0 then restart_turns(turns, K.inflight, now) end

if is_storing(state) then
  redis.call('ZADD', K.storing, 'NX', now, order.id)
elseif is_storing(seen.state) then
  redis.call('ZREM', K.storing, order.id)
end
if order.late and may_be_late(state) then
  redis.call('ZADD', K.late, now + order.late, order.id)
elseif may_be_late(seen.state) then
  redis.call('ZREM', K.late, order.id)
end

if batch_id and order.status ~= status then
  count_in_batch(K.batch, batch_id, K.operations, K.finish, now, status, order.status)
  local unknown = order.status == 'failed' and is_unknown(seen.err)
  -- A batch that was forgotten must not come back as this one field.
  if was_unknown ~= unknown and redis.call('HEXISTS', K.batch, 'st') == 1 then redis.call('HINCRBY', K.batch, 'unknown', unknown and 1 or -1) end
end
if order.status ~= status then
  if is_terminal(state) then
    redis.call('ZADD', K.ended, now, order.id)
  elseif is_terminal(seen.state) then
    redis.call('ZREM', K.ended, order.id)
  end
  if is_failed(state) then
    redis.call('ZADD', K.tenant_failed, now, order.id)
    redis.call('ZADD', K.failed, now, order.id)
  elseif is_failed(seen.state) then
    redis.call('ZREM', K.tenant_failed, order.id)
    redis.call('ZREM', K.failed, order.id)
  end
end
-- Nobody has to decide on it any more, and who retries it has.
if order.status == 'canceled' or order.status == 'expired' then redis.call('ZREM', key_of('suspects'), order.id) end
-- Its task may have failed before Redis was restored, and been made once more.
if order.row == 'resubmit' and submitted < tonumber(redis.call('GET', key_of('restored')) or '0') then
  redis.call('ZADD', key_of('suspects'), 'NX', now, order.id)
end
if seen.use then
  local live = (is_terminal(seen.state) and 1 or 0) - (is_terminal(state) and 1 or 0)
  count_use(K.usage, order.tenant, more, order.stored, live)
  if more ~= 0 then set('use', tonumber(seen.use) + more) end
  if order.stored > 0 then set('obj', tonumber(seen.obj or '0') + order.stored) end
end
if order.cost then settle_cost(order.cost, job, seen, batch_id and K.batch, K.spent, now, set, gone) end
if order.counter then redis.call('HINCRBY', K.counters, order.counter, 1) end

if order.event then
  seq = seq + 1
  set('seq', seq)
  emit(events, { id = order.id, seq = seq, type = order.event, progress = order.progress, status = order.status, stage = order.stage, run = seen.run })
end
local made = delivery and make_delivery(delivery, now, { 'seq', seq })
if made then
  set('whd', delivery.id)
  set('whs', 'pending')
end
if #parts > 0 then redis.call('MSET', unpack(parts)) end
if #gone > 0 then redis.call('HDEL', job, unpack(gone)) end
redis.call('HSET', job, unpack(fields))

-- Not for a seat that is free: thousands of jobs may be canceled, one after another. A periodic task lets others in.
if returned then next_in(seen.q, order.tenant, now, entries) end

local placed = made and place_delivery(e, K.delivery, K.due_deliveries, delivery, now) or delivery and 'entry' or ''
if made and placed == 'entry' then await_entry(delivery, now) end
return answer(order.stage == '' and order.status or order.status .. '/' .. order.stage, placed)
