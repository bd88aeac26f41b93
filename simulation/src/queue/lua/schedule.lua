-- These tasks and no others: name and interval in turn. One whose interval has changed begins anew.
local now = tonumber(A.now)
local wanted = {}
for i = 1, #A.rules, 2 do wanted[A.rules[i]] = A.rules[i + 1] end

local known = redis.call('ZRANGE', K.schedule, 0, -1, 'WITHSCORES')
for i = 1, #known, 2 do
  local name = known[i]
  local rule = K.schedule .. ':' .. name
  if redis.call('HGET', rule, 'every') ~= wanted[name] then
    local id = runId(name, known[i + 1])
    redis.call('ZREM', K.schedule, name)
    redis.call('DEL', rule)
    -- What runs now may end.
    if not redis.call('ZSCORE', K.active, id) then
      for _, line in ipairs({ K.delayed, K.wait, K.failed }) do redis.call('ZREM', line, id) end
      redis.call('DEL', K.entry .. id)
    end
  end
end

for i = 1, #A.rules, 2 do
  local name, every = A.rules[i], tonumber(A.rules[i + 1])
  local rule = K.schedule .. ':' .. name
  local before = redis.call('ZSCORE', K.schedule, name)
  local at = now
  local there = false
  if before then
    local id = runId(name, before)
    there = redis.call('ZSCORE', K.delayed, id) or redis.call('ZSCORE', K.wait, id)
    at = momentAfter(tonumber(before), every, tonumber(redis.call('HGET', rule, 'offset')), now)
  else
    redis.call('HSET', rule, 'every', A.rules[i + 1], 'offset', now % every)
  end
  if not there then
    while redis.call('EXISTS', K.entry .. runId(name, at)) == 1 do at = at + every end
    addRun(name, at, now)
  end
end
return ready()
