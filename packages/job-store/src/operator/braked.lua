-- Whose calls wait since upstream refused others like them; packages/jobs/src/brake.ts decides when, this says how long.
-- The hash has `state` (JSON, of packages/jobs) and for each closed brake by its id: <id>:at when the next job may go ahead to see, <id>:by and
-- <id>:until the one that has, <id>:first and <id>:first_at a job of another tenant that goes before all others, <id>:next the next free time.

local function at_of(brakes, brake, what)
  return tonumber(redis.call('HGET', brakes, brake.id .. ':' .. what) or '0')
end

local function was_refused(brake, tenant)
  return contains(brake.tenants, tenant)
end

-- When a job may go ahead to see whether upstream is well; `now` or before: it may.
local function free_at(brakes, brake, tenant, now)
  local at = at_of(brakes, brake, 'at')
  if at == 0 then at = brake.since + brake_rules.probe_ms end
  if at_of(brakes, brake, 'until') > now then return math.max(at, now + 1000) end
  if at > now then return at end
  local first_until = at_of(brakes, brake, 'first_at') + brake_rules.others_first_ms
  if was_refused(brake, tenant) and first_until > now then return first_until end
  return at
end

-- The time at which a job that has to wait comes again. They come one after another, each of them within `round_ms`, so that fifty thousand
-- ask no more often than a few; one of a tenant that was not refused comes as soon as it may go ahead.
local function comes_at(brakes, brake, id, tenant, free, now)
  if not was_refused(brake, tenant) then
    local first = redis.call('HGET', brakes, brake.id .. ':first')
    local gone = at_of(brakes, brake, 'first_at') + 2 * brake_rules.others_first_ms < now
    if not first or first == id or gone then
      redis.call('HSET', brakes, brake.id .. ':first', id, brake.id .. ':first_at', free)
      return free
    end
  end
  local at = math.max(free, at_of(brakes, brake, 'next'))
  if at > now + brake_rules.round_ms then at = free end
  redis.call('HSET', brakes, brake.id .. ':next', at + brake_rules.apart_ms)
  return at
end

-- When a job that has to wait comes again, or nil and the brakes that it may go ahead of.
local function braked(brakes, state, job, order)
  local known = cjson.decode(state).brakes
  if #known == 0 then return nil, {} end
  local seen = redis.call('HMGET', job, 'q', 'tenant', 'fm')
  local readable, doc = pcall(cjson.decode, redis.call('GET', part_key(job, 'doc')) or '')
  local model = readable and (seen[3] and doc.fallback_models and doc.fallback_models[tonumber(seen[3])] or doc.input and doc.input.model)
  local ahead_of = {}
  for _, brake in ipairs(known) do
    if brake.queue == seen[1] and (brake.model == cjson.null or brake.model == model) and (brake.tenant == cjson.null or brake.tenant == seen[2]) then
      local free = free_at(brakes, brake, seen[2], order.now)
      if free > order.now then return comes_at(brakes, brake, order.id, seen[2], free, order.now) end
      ahead_of[#ahead_of + 1] = brake
    end
  end
  return nil, ahead_of
end

-- This job is the one that goes ahead; the others wait for its answer.
local function go_ahead(brakes, ahead_of, order)
  for _, brake in ipairs(ahead_of) do
    local id = brake.id
    redis.call('HSET', brakes, id .. ':by', order.token, id .. ':until', order['until'], id .. ':at', order.now + brake_rules.probe_ms)
    if redis.call('HGET', brakes, id .. ':first') == order.id then redis.call('HDEL', brakes, id .. ':first', id .. ':first_at') end
  end
end
