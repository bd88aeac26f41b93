local MAX_PRIORITY = 2097151

-- The turn of a tenant's next job among calls and submits (design.md §2.9).
local function turn_ahead(turns, tenant)
  local known = redis.call('HMGET', turns, '#v', tenant)
  return math.max(tonumber(known[1] or '0'), tonumber(known[2] or '0')) + 1
end

-- Its next job takes it.
local function next_turn(turns, tenant)
  local turn = math.min(turn_ahead(turns, tenant), MAX_PRIORITY)
  redis.call('HSET', turns, tenant, turn)
  return turn
end

-- V is the highest turn that has begun. One that begins behind its time, since it was refused or is of low priority, leaves it:
-- who comes after it would be ahead of all who wait.
local function begin_turn(turns, turn)
  if tonumber(turn or '0') > tonumber(redis.call('HGET', turns, '#v') or '0') then redis.call('HSET', turns, '#v', turn) end
end

local function count_queued(turns, by)
  redis.call('HINCRBY', turns, '#queued', by)
end

-- The turns start again from 0 when no job is queued and no call is in flight that could come back with the turn that it had.
local function restart_turns(turns, inflight, now)
  if tonumber(redis.call('HGET', turns, '#queued') or '0') > 0 then return end
  if redis.call('ZCOUNT', inflight, now, '+inf') == 0 then redis.call('DEL', turns) end
end
