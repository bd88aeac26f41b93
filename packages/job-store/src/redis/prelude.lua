-- Shared by all scripts that write; put in front of each by define-script.ts, behind record.lua and the rows of TRANSITIONS (packages/jobs).
-- Fields of a record that scripts read: st status, sg stage, run, step, seq, ver, tok at token and time of the last transition, tn turn,
-- sb sa su the lease (token, acquired at, expires at), due, exp, batch, whd whs last delivery and its state.

local MAX_PRIORITY = 2097151
local TERMINAL = { succeeded = true, failed = true, canceled = true, expired = true }
local FAILED = { failed = true, expired = true }

-- The time of a script: that of Redis, so that no clock of a process counts; tests and the simulation give one.
local function now_of(order)
  if order.now then return order.now end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- What the guard needs to know of a job, and the fields that are asked for besides. Without a record `state` is nil.
local function read_state(job, ...)
  local found = redis.call('HMGET', job, 'st', 'sg', 'step', 'sb', 'era', ...)
  local seen = { status = found[1] or nil, stage = found[2] or '', step = tonumber(found[3] or '0'), lease = found[4] or nil, erasing = found[5] }
  if seen.status then seen.state = seen.stage == '' and seen.status or seen.status .. '/' .. seen.stage end
  for i, field in ipairs({ ... }) do seen[field] = found[i + 5] or nil end
  return seen
end

-- Whether a row of the table may be applied to a job by whoever holds `by` {lease} or {step}: nil, or why not.
local function guard(name, seen, by)
  local row = transition_row(name)
  if not seen.state then return not row.creates and 'missing' or nil end
  if by.lease then
    if seen.lease ~= by.lease then return 'stale' end
  elseif row.guard ~= 'none' and seen.step ~= by.step then
    return 'stale'
  end
  if row.creates or seen.erasing and not row.erases or not row.from[seen.state] then return 'wrong' end
end

local function contains(list, item)
  for _, each in ipairs(list) do
    if each == item then return true end
  end
  return false
end

-- One line on the shared stream, with the state that the transition led to. The sequence number is the caller's Last-Event-ID.
local function emit(events, job, id, type, progress)
  local seq = redis.call('HINCRBY', job, 'seq', 1)
  local now = redis.call('HMGET', job, 'st', 'sg', 'run')
  redis.call('XADD', events, 'MAXLEN', '~', 50000, '*', 'j', id, 's', seq, 't', type, 'p', progress, 'st', now[1], 'sg', now[2] or '', 'r', now[3])
end

-- The turns of a tenant's next jobs among calls and submits (design.md §2.9): the first of `count`, which follow
-- one another up to MAX_PRIORITY.
local function next_turns(turns, tenant, count)
  local known = redis.call('HMGET', turns, '#v', tenant)
  local before = math.max(tonumber(known[1] or '0'), tonumber(known[2] or '0'))
  redis.call('HSET', turns, tenant, math.min(before + count, MAX_PRIORITY))
  return math.min(before + 1, MAX_PRIORITY)
end

local function next_turn(turns, tenant)
  return next_turns(turns, tenant, 1)
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

-- An operation is written once; a worker that holds it at this moment finds out that it is due again.
local function add_operation(operation, operations, id, kind, order, at)
  if redis.call('HSETNX', operation, 'kind', kind) == 1 then
    redis.call('HSET', operation, 'order', cjson.encode(order), 'created', at)
  else
    redis.call('HDEL', operation, 'by')
  end
  redis.call('ZADD', operations, at, id)
end

-- What the records of tenants take is counted in one hash: `redis:<tenant>` and `stored:<tenant>` bytes, `live:<tenant>` jobs, and
-- `#redis` for all. A record keeps what was counted for it (`use`, `obj`), so that the same goes when it goes; one that was made
-- before there were counters has no `use` and is in none.
local function count_use(usage, tenant, redis_bytes, stored_bytes, live)
  local function count(field, by)
    if by ~= 0 and redis.call('HINCRBY', usage, field, by) == 0 then redis.call('HDEL', usage, field) end
  end
  count('redis:' .. tenant, redis_bytes)
  count('#redis', redis_bytes)
  count('stored:' .. tenant, stored_bytes)
  count('live:' .. tenant, live)
end

-- Why records that take `order.use` are not taken in: {'quota', name, limit, used} | {'full'} | nothing. Order: tenant, use {redis,
-- stored, live}, limits {the same; 0 is none} or nil, room (how much all may take) or nil.
local function refusal_of(usage, order)
  for _, name in ipairs({ 'redis', 'stored', 'live' }) do
    local limit, more = order.limits and order.limits[name] or 0, order.use[name]
    if limit > 0 then
      local used = tonumber(redis.call('HGET', usage, name .. ':' .. order.tenant) or '0')
      if used + more > limit then return { 'quota', name, limit, used } end
    end
  end
  if order.room and tonumber(redis.call('HGET', usage, '#redis') or '0') + order.use.redis > order.room then return { 'full' } end
end

local BATCH_ENDS = { completed = true, canceled = true, expired = true }

-- A job of a batch changes its status. The counts always add up; the last job that ends has the batch finished, and a
-- job that is reopened reopens its batch.
local function count_in_batch(batch, id, operations, finish, now, from, to)
  if from == 'canceling' then from = 'running' end
  if to == 'canceling' then to = 'running' end
  local st = redis.call('HGET', batch, 'st')
  if from == to or not st then return end
  redis.call('HINCRBY', batch, 'n:' .. from, -1)
  redis.call('HINCRBY', batch, 'n:' .. to, 1)
  if BATCH_ENDS[st] and not TERMINAL[to] then
    redis.call('HSET', batch, 'st', 'running')
    redis.call('HINCRBY', batch, 'round', 1)
    redis.call('HDEL', batch, 'fin', 'res')
  elseif TERMINAL[to] then
    local live = redis.call('HMGET', batch, 'n:queued', 'n:running')
    if tonumber(live[1] or '0') + tonumber(live[2] or '0') == 0 then
      add_operation(finish, operations, 'batch-finish:' .. id, 'batch-finish', { batch_id = id }, now)
    end
  end
end

-- Whether a run failed without anybody knowing if its submit made a task.
local function is_unknown(err)
  return err and string.find(err, '"code":"submit_unknown"', 1, true) ~= nil
end
