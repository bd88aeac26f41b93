#!lua flags=allow-oom
-- open-try: a webhook try may go out now, has to wait, or is not to be made. Answers with all that the try needs.
-- KEYS 1 delivery 2 subject (job or batch) 3 endpoint 4 its open tries 5 due deliveries
-- ARGV 1 order {id, token, step, now, early (ms that do not matter), due_after}
-- Answers {'open', 0, delivery, subject} | {'wait', ms, why} | {'skipped', state, delivery} | {'over'}
local order = cjson.decode(ARGV[1])
local delivery, subject, endpoint, open, due_set = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local now, token = order.now, order.token

local own = redis.call('HMGET', delivery, 'step', 'state', 'tok', 'next', 'tries', 'once', 'as', 'asked')
local state, next = own[2], number_or(own[4], now)
if tonumber(own[1] or '-1') ~= order.step then return { 'over' } end

local function skipped(as) return { 'skipped', as, redis.call('HGETALL', delivery) } end
local function granted() return { 'open', 0, redis.call('HGETALL', delivery), redis.call('HGETALL', subject) } end

-- Sent again by the client library: the same answer.
if own[3] == token and state ~= 'pending' then return skipped(state) end
if redis.call('ZSCORE', open, token) then return granted() end
if state ~= 'pending' then return { 'over' } end
if next - now > order.early then return { 'wait', next - now, 'early' } end

local function skip()
  keep_endpoint(endpoint, open)
  local as = number_or(own[5], 0) > 0 and 'failed' or 'skipped'
  write_state(delivery, subject, due_set, order.id, token, as)
  return skipped(as)
end
local function wait(slot, why)
  keep_endpoint(endpoint, open)
  write_state(delivery, subject, due_set, order.id, token, 'pending', slot, slot + order.due_after)
  return { 'wait', slot - now, why }
end

redis.call('ZREMRANGEBYSCORE', open, '-inf', now)
local seen = redis.call('HMGET', endpoint, 'off', 'till', 'probe', 'park', 'line', 'avg')
local till, news = tonumber(seen[2] or ''), own[7]
local asked_for = number_or(own[8], 0) > 0 or own[6] and own[6] ~= ''
if seen[1] and not asked_for then return skip() end

local ms = likely_ms(tonumber(seen[6] or ''), open, now)
local probing = till and seen[3] and redis.call('ZSCORE', open, seen[3])
if till and (now < till or probing) then
  -- News of a live job would be old when the receiver is back.
  if news and not asked_for then return skip() end
  return wait(slot_behind_probe(endpoint, number_or(seen[4], 0), now < till and till or now + math.max(ms, rules.parkGapMs)), 'breaker')
end
if redis.call('ZCARD', open) >= rules.openTries then
  return wait(slot_in_line(endpoint, number_or(seen[5], 0), ms, now), 'places')
end

redis.call('ZADD', open, now + rules.leaseMs, token)
if till then redis.call('HSET', endpoint, 'probe', token) end
keep_endpoint(endpoint, open)
return granted()
