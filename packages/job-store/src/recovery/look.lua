-- How far a new primary has come in learning what it may have forgotten. The first to ask begins that, of a primary that nobody knew
-- before there is nothing to learn.
-- order {now|nil, knew (whether who asks knew another one), me (a worker) or nil, told (the primary that it has told all it knows) or nil,
--      alive_ms, least_ms, give_up_ms or nil (after which who asks gives up those that are missing)}
-- Answers {'open'} | {'opened', ms since it began} | {'closed', primary, ms since it began, when a worker was seen last, when one that is missing was, workers
-- that are missing …}
local order = cjson.decode(A.order)
local now = now_of(order)
local open = redis.call('GET', K.primary)
if open == PRIMARY then return { 'open' } end
if not open and not order.knew then
  redis.call('SET', K.primary, PRIMARY)
  return { 'open' }
end

local recovery = K.recovery
if redis.call('HGET', recovery, 'of') ~= PRIMARY then
  local workers, newest = {}, 0
  for i, text in ipairs(redis.call('HVALS', K.workers)) do
    workers[i] = cjson.decode(text)
    newest = math.max(newest, workers[i].seen_at)
  end
  redis.call('DEL', recovery)
  redis.call('HSET', recovery, 'of', PRIMARY, 'began', now, 'seen', newest)
  for _, worker in ipairs(workers) do
    if newest - worker.seen_at <= order.alive_ms then redis.call('HSET', recovery, 'w:' .. worker.id, worker.seen_at) end
  end
end
if order.told == PRIMARY then redis.call('HDEL', recovery, 'w:' .. order.me) end

local known = redis.call('HMGET', recovery, 'began', 'seen')
local since = now - tonumber(known[1])
local missing, missed = {}, 0
local fields = redis.call('HGETALL', recovery)
for i = 1, #fields, 2 do
  if string.sub(fields[i], 1, 2) == 'w:' then
    missing[#missing + 1] = string.sub(fields[i], 3)
    missed = math.max(missed, tonumber(fields[i + 1]))
  end
end
-- One that was never announced here has a moment to tell as well.
if (#missing == 0 and since >= order.least_ms) or (order.give_up_ms and since >= order.give_up_ms) then
  redis.call('SET', K.primary, PRIMARY)
  redis.call('DEL', recovery)
  return { 'opened', since }
end
return { 'closed', PRIMARY, since, known[2], missed, unpack(missing) }
