-- One queue. An entry stands in one of `wait` and `prioritized` (in line), `delayed`, `active` or `failed`; what it holds is a hash.
-- As in BullMQ no script declares flags: on a full Redis a command that grows is refused while its script has written nothing.

-- Of this Redis: locks and limits end by it, whatever the clocks of processes say.
local function redisTime()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- How many more may be active.
local function room()
  local gate = redis.call('HMGET', K.meta, 'paused', 'concurrency')
  if gate[1] then return 0 end
  if gate[2] then return math.max(0, tonumber(gate[2]) - redis.call('ZCARD', K.active)) end
  return 9007199254740991
end

-- How many could be taken now, of whom `most` may be active.
local function readyIn(most)
  return math.min(most, redis.call('ZCARD', K.wait) + redis.call('ZCARD', K.prioritized))
end

local function ready()
  return readyIn(room())
end

-- In line behind its like; `nth` counts what comes in line.
local function joinLine(id, priority, nth)
  if priority == 0 then
    redis.call('ZADD', K.wait, nth, id)
  else
    redis.call('ZADD', K.prioritized, priority * 4294967296 + nth % 4294967296, id)
  end
end

-- First of those without a priority, and so of all.
local function joinFront(id)
  redis.call('ZADD', K.wait, -redis.call('INCR', K.counter), id)
end

-- Those of one millisecond stay in the order in which they came: the low 12 bits of a score count them.
local function delay(id, due)
  local first = due * 4096
  local full = first + 4095
  local last = redis.call('ZRANGE', K.delayed, full, first, 'BYSCORE', 'REV', 'LIMIT', 0, 1, 'WITHSCORES')
  local score = first
  if #last > 0 then score = math.min(full, tonumber(last[2]) + 1) end
  redis.call('ZADD', K.delayed, score, id)
end

-- When the first of those that are delayed is due; 0: none is.
local function nextDue()
  local first = redis.call('ZRANGE', K.delayed, 0, 0, 'WITHSCORES')
  if #first == 0 then return 0 end
  return math.floor(tonumber(first[2]) / 4096)
end

-- What is due comes in line.
local function promote(now)
  local due = redis.call('ZRANGE', K.delayed, 0, now * 4096 + 4095, 'BYSCORE', 'LIMIT', 0, 1000)
  for _, id in ipairs(due) do
    redis.call('ZREM', K.delayed, id)
    local priority = redis.call('HGET', K.entry .. id, 'priority')
    joinLine(id, tonumber(priority or 0), redis.call('INCR', K.counter))
  end
end

-- Ends the lock. Negative for whoever has none: -1 the entry is gone, -2 the lock is over, -6 it is another's.
local function release(id, token)
  local held = redis.call('HMGET', K.entry .. id, 'added', 'token')
  if not held[1] then return -1 end
  local ends = redis.call('ZSCORE', K.active, id)
  if not ends or tonumber(ends) <= redisTime() then return -2 end
  if held[2] ~= token then return -6 end
  redis.call('ZREM', K.active, id)
  return 0
end

-- Entries of periodic tasks have the name of their task and the moment as their id, so that each moment has one.
local function runId(name, at)
  return 'repeat:' .. name .. ':' .. at
end

local function addRun(name, at, now)
  local id = runId(name, at)
  redis.call('ZADD', K.schedule, at, name)
  redis.call('HSET', K.entry .. id, 'name', name, 'data', '{}', 'added', now, 'task', name)
  if at > now then
    delay(id, at)
  else
    joinLine(id, 0, redis.call('INCR', K.counter))
  end
end

-- In step with the first; moments that nobody was there for are left out.
local function momentAfter(at, every, offset, now)
  if at + every >= now then return at + every end
  local aligned = math.floor(now / every) * every + offset
  if aligned <= now then return aligned + every end
  return aligned
end

-- A run has begun: the next one of its task is made, once.
local function runAgain(name, id, now)
  local at = redis.call('ZSCORE', K.schedule, name)
  if not at or id ~= runId(name, at) then return end
  local rule = redis.call('HMGET', K.schedule .. ':' .. name, 'every', 'offset')
  local after = momentAfter(tonumber(at), tonumber(rule[1]), tonumber(rule[2]), now)
  if redis.call('EXISTS', K.entry .. runId(name, after)) == 0 then addRun(name, after, now) end
end

-- The first in line becomes active, under a lock. Answers its id, for how long the queue is limited, when the next one is due (if no other
-- could be taken now), how many more could be taken, and what the entry holds.
local function take(now, token, lockMs, limited)
  promote(now)
  if limited == '1' then
    local ms = redis.call('PTTL', K.limiter)
    if ms > 0 then return { '', ms, 0, 0 } end
  end
  local most = room()
  if most == 0 then return { '', 0, nextDue(), 0 } end
  local line = K.wait
  local first = redis.call('ZRANGE', line, 0, 0)
  if #first == 0 then
    line = K.prioritized
    first = redis.call('ZRANGE', line, 0, 0)
  end
  local id = first[1]
  if not id then return { '', 0, nextDue(), 0 } end
  local entry = K.entry .. id
  redis.call('HINCRBY', entry, 'taken', 1)
  redis.call('HSET', entry, 'token', token)
  redis.call('ZREM', line, id)
  redis.call('ZADD', K.active, redisTime() + lockMs, id)
  local held = redis.call('HMGET', entry, 'name', 'data', 'stalled', 'task')
  if held[4] then runAgain(held[4], id, now) end
  local left = readyIn(most - 1)
  return { id, 0, left == 0 and nextDue() or 0, left, held[1], held[2], held[3] or '0' }
end

-- Kept for a while, so that its id stays known.
local function fail(id, reason, now)
  redis.call('HSET', K.entry .. id, 'failure', reason)
  redis.call('ZADD', K.failed, now, id)
  local old = redis.call('ZRANGE', K.failed, 0, now - KEPT.age_ms, 'BYSCORE', 'LIMIT', 0, 1000)
  local tooMany = redis.call('ZRANGE', K.failed, 0, -(KEPT.count + 1))
  for _, ids in ipairs({ old, tooMany }) do
    for _, each in ipairs(ids) do
      redis.call('ZREM', K.failed, each)
      redis.call('DEL', K.entry .. each)
    end
  end
end
