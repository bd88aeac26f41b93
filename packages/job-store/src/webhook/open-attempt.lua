-- open-attempt: an entry of a delivery has come up: its attempt begins, has to wait, or is not to be made.
-- order {id, token, step, now|nil, endpoint, early (ms that do not matter), share (false: its tenant has its share of the worker)}
-- Answers {'open', token, delivery, subject}: an attempt has begun, of this delivery or of one that has waited longer
--   | {'wait', ms} not yet due | {'room', why} | {'skipped', state, delivery} | {'lost', delivery, subject} | {'over'}
local order = cjson.decode(A.order)
local delivery, subject, due_set, pending = K.delivery, K.subject, K.due_deliveries, K.pending_deliveries
local e = endpoint_named(order.endpoint)
local now, token = now_of(order), order.token

local own = redis.call('HMGET', delivery, 'step', 'state', 'tok', 'next', 'made', 'once', 'as', 'asked', 'lease')
local state, next = own[2], number_or(own[4], now)

-- Sent again by the client library: the same answer.
local before = handed_over(e, { token }, delivery, order.id)[1]
if before then return { 'open', unpack(before) } end
if tonumber(own[1] or '-1') ~= order.step then return { 'over' } end
local function skipped(as) return { 'skipped', as, redis.call('HGETALL', delivery) } end
if own[3] == token and state ~= 'pending' then return skipped(state) end
if state ~= 'pending' then return { 'over' } end
if next - now > order.early then return { 'wait', next - now } end

-- Whoever had it says nothing any more. An attempt that takes its worker with it must not take all others too.
if own[9] and own[9] ~= '' then
  redis.call('ZREM', e.open, own[9] .. ' ' .. order.id)
  drop_probe(e, own[9])
  redis.call('HDEL', delivery, 'lease')
  redis.call('HINCRBY', delivery, 'lost', 1)
end
if number_or(redis.call('HGET', delivery, 'lost'), 0) >= rules.maxLost then
  return { 'lost', redis.call('HGETALL', delivery), read_job(subject) }
end

local function skip()
  keep_fares()
  leave_room(e, order.id)
  local as = number_or(own[5], 0) > 0 and 'failed' or 'skipped'
  write_state(delivery, subject, due_set, pending, order.id, token, as)
  return skipped(as)
end

local asked_for = number_or(own[8], 0) > 0 or own[6] and own[6] ~= ''
local off = own_of(e).off
if off and not asked_for then return skip() end
local why, check = why_not(e, now)
-- A report of a live job would be old when the receiver is back.
if why == 'breaker' and own[7] and not asked_for then return skip() end
if not why and order.share == false then
  why, check = 'share', now + rules.checkAgainMs
end
-- Who was asked for to a disabled endpoint goes past those who wait there: they will be skipped.
if not why and (off or is_room_empty(e)) then
  leave_room(e, order.id)
  begin_attempt(e, delivery, due_set, order.id, token, now)
  return { 'open', token, redis.call('HGETALL', delivery), read_job(subject) }
end
keep_fares()
redis.call('HDEL', delivery, 'lease')
redis.call('ZREM', due_set, order.id)
enter_room(e, order.id, next, check or now + rules.checkAgainMs)
if why then return { 'room', why } end
local first = hand_over(e, { token }, due_set, delivery, order.id, now)[1]
if first then return { 'open', unpack(first) } end
return { 'room', 'permits' }
