-- The permits of the account: sorted sets of jobs with a call in flight or a living task, by the time after which they no longer count. One of
-- all jobs (K.inflight), one of synchronous calls (:call), and one for each queue and tenant (:<queue>:<tenant>).
-- The hash :#account has the limits as the last paid call named them: max, reserve, slots, tenant, rpm (see AccountLimits); :#tenants what operators have
-- set for a tenant in the stead of the last of these.

local function permits_key(queue, tenant)
  return K.inflight .. ':' .. queue .. ':' .. tenant
end

local function take_permit(queue, tenant, id, till)
  till = text_of(till)
  redis.call('ZADD', K.inflight, till, id)
  if queue == 'call' then redis.call('ZADD', K.inflight .. ':call', till, id) end
  redis.call('ZADD', permits_key(queue, tenant), till, id)
end

-- Whether it had one. The sets of all tenants can have lost it before to somebody who found it to be over (expire_permits).
local function return_permit(queue, tenant, id)
  if redis.call('ZREM', permits_key(queue, tenant), id) == 0 then return false end
  if queue == 'call' then redis.call('ZREM', K.inflight .. ':call', id) end
  redis.call('ZREM', K.inflight, id)
  return true
end

-- What a crash has left. It is looked for only where it would keep somebody waiting: by who is refused a permit, and by the sweep of the rooms.
local function expire_permits(tenant, now)
  for _, key in ipairs({ K.inflight, K.inflight .. ':call', permits_key('call', tenant), permits_key('submit', tenant) }) do
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  end
end

local function account_limits()
  local known = redis.call('HMGET', K.inflight .. ':#account', 'max', 'reserve', 'slots', 'tenant', 'rpm')
  local function limit(i) return tonumber(known[i] or '0') end
  return { max = limit(1), reserve = limit(2), slots = limit(3), tenant = limit(4), rpm = limit(5) }
end

local function note_limits(said)
  local known = account_limits()
  for name, limit in pairs(said) do
    if known[name] ~= limit then redis.call('HSET', K.inflight .. ':#account', name, limit) end
  end
end

-- How many more permits of both kinds its own limit leaves to a tenant that has so many of this kind; nil: it has no limit.
local function left_of_tenant(limits, queue, tenant, has)
  local cap = tonumber(redis.call('HGET', K.inflight .. ':#tenants', tenant) or '') or limits.tenant
  if cap > 0 then return cap - has - redis.call('ZCARD', permits_key(queue == 'call' and 'submit' or 'call', tenant)) end
end

-- How many more permits a tenant may have now, at most `most`. A tenth of what a queue has is kept for tenants that have less than their
-- share of it, where there are ten or more; the share counts one tenant more than those that ask, so that the first job of another never waits (design.md §2.9).
local function grantable(limits, queue, tenant, most)
  local has = redis.call('ZCARD', permits_key(queue, tenant))
  most = math.min(most, left_of_tenant(limits, queue, tenant, has) or most)
  if limits.max == 0 and (limits.slots == 0 or queue == 'submit') then return most end
  local all, calls = redis.call('ZCARD', K.inflight), redis.call('ZCARD', K.inflight .. ':call')
  local room, taken
  if queue == 'submit' then
    room, taken = limits.max - limits.reserve, all - calls
    most = math.min(most, limits.max - all)
  else
    room, taken = limits.max > 0 and limits.max - (all - calls) or limits.slots, calls
    if limits.slots > 0 then room = math.min(room, limits.slots) end
  end
  local asking = redis.call('ZCARD', K.waiting .. ':' .. queue .. ':#asking')
  local share = math.ceil(room / (asking + 1)) - has
  local kept = room < 10 and 0 or math.ceil(room / 10)
  return math.min(most, math.max(room - kept - taken, math.min(room - taken, share)))
end

-- Whether this job may begin a call now.
local function is_granted(limits, queue, tenant, id, now)
  if grantable(limits, queue, tenant, 1) > 0 or redis.call('ZSCORE', permits_key(queue, tenant), id) then return true end
  expire_permits(tenant, now)
  return grantable(limits, queue, tenant, 1) > 0
end
