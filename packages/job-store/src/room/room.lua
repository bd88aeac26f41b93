-- Rooms: where the queued jobs of a tenant wait for their turn, one room for each queue. A room is a sorted set of jobs by their place
-- (<K.waiting>:<queue>:<tenant>), and one of batches (:batches; see places.lua); beside it stand the jobs that have left it with a queue entry, and have not begun (:seats). <K.waiting>:<queue>
-- has the tenants whose room is not empty, by the turn of who left it last; :<queue>:#asking those that asked for a permit of late.
-- A job is in a room or in a batch that is, has a seat, or is set aside: its entry waits for a time of its own (:aside, as `<why> <since>`),
-- or it has none until its tenant can pay for it (:broke, by its price; <K.waiting>:<queue>:#broke has the tenants that have such jobs).

-- So many jobs of a room have an entry at a time.
local SEATS = 100
-- So many leave a room in one script.
local LET_IN = 50
-- A tenant that has asked for a permit counts as one that wants some for so long.
local ASKS_MS = 60000

-- Behind all places of its priority.
local function end_of_priority(place)
  return (math.floor(place / PRIORITY) + 1) * PRIORITY
end

-- Those that go before a new one of this priority.
local function count_before(key, place)
  return redis.call('ZCOUNT', key, '-inf', '(' .. string.format('%.0f', end_of_priority(place)))
end

local function asks(queue, tenant, now)
  redis.call('ZADD', K.waiting .. ':' .. queue .. ':#asking', now + ASKS_MS, tenant)
end

-- This tenant has jobs in its room.
local function note_waiting(queue, tenant)
  local waiting = K.waiting .. ':' .. queue
  if not redis.call('ZSCORE', waiting, tenant) then redis.call('ZADD', waiting, redis.call('HGET', K.turns, tenant) or 0, tenant) end
end

local function wait_in_room(queue, tenant, id, place)
  redis.call('ZADD', room_key(queue, tenant), place, id)
  note_waiting(queue, tenant)
end

-- A batch that was committed waits with the lines that it has for this queue.
local function batch_waits(queue, tenant, batch)
  for rank = 0, 2 do
    local member = batch .. ' ' .. rank
    local lines = redis.call('LLEN', lines_of_member(queue, member))
    if lines > 0 then
      count_lines(tenant, batch, lines)
      place_batch(queue, tenant, member)
      note_waiting(queue, tenant)
    end
  end
end

-- The turn of a job that gets an entry at once; 0: it waits in the room.
local function enter(queue, tenant, id, priority, created)
  local place, room = place_of(priority, created), room_key(queue, tenant)
  local waits = count_before(room, place) > 0 or count_before(room .. ':batches', place) > 0
  if not waits and count_before(room .. ':seats', place) < SEATS then
    redis.call('ZADD', room .. ':seats', place, id)
    return next_turn(K.turns, tenant)
  end
  wait_in_room(queue, tenant, id, place)
  return 0
end

-- Whether a line stands nearer to the end of its list than to the beginning: who cancels all jobs begins with the newest.
local function is_nearer_to_end(list, line)
  local sum = 0
  for _, at in ipairs({ 0, -1 }) do
    local id = redis.call('LINDEX', list, at)
    sum = sum + (id and tonumber(redis.call('HGET', key_of('job:' .. id), 'ln')) or 0)
  end
  return 2 * tonumber(line) > sum
end

-- It leaves its batch, out of turn.
local function leave_batch(queue, tenant, id, batch)
  local seen = redis.call('HMGET', key_of('job:' .. id), 'pr', 'ln')
  local member = batch .. ' ' .. priority_rank(seen[1])
  local list = lines_of_member(queue, member)
  if redis.call('LREM', list, is_nearer_to_end(list, seen[2]) and -1 or 1, id) == 0 then return end
  count_lines(tenant, batch, -1)
  if redis.call('ZSCORE', room_key(queue, tenant) .. ':batches', member) then place_batch(queue, tenant, member) end
  forget_if_empty(queue, tenant)
end

-- It waits here no longer. batch: of which it is a line, or nil
local function leave(queue, tenant, id, batch)
  local room = room_key(queue, tenant)
  if redis.call('ZREM', room .. ':seats', id) == 1 then return end
  if redis.call('ZREM', room, id) == 1 then return forget_if_empty(queue, tenant) end
  if redis.call('HDEL', room .. ':aside', id) == 1 then redis.call('ZREM', room .. ':broke', id)
  elseif batch and batch ~= '' then leave_batch(queue, tenant, id, batch) end
end

-- Its entry waits for a time of its own, and keeps nobody else waiting.
local function set_aside(queue, tenant, id, why, now)
  redis.call('HSET', room_key(queue, tenant) .. ':aside', id, why .. ' ' .. string.format('%.0f', now))
end

-- Its tenant cannot pay for it: it has no entry until it can.
local function wait_for_budget(queue, tenant, id, price, now)
  set_aside(queue, tenant, id, 'budget', now)
  redis.call('ZADD', room_key(queue, tenant) .. ':broke', price, id)
  redis.call('ZADD', K.waiting .. ':' .. queue .. ':#broke', now, tenant)
end

-- Jobs of a tenant that its budget has room for go back to its room, the cheapest first. budget: as of budget_of, or nil
-- Answers how many.
local function pay_again(queue, tenant, budget, now)
  local room, broke = room_key(queue, tenant), K.waiting .. ':' .. queue .. ':#broke'
  local left = budget and budget.credits - budget.used
  local jobs, back = redis.call('ZRANGE', room .. ':broke', 0, LET_IN - 1, 'WITHSCORES'), 0
  for i = 1, #jobs, 2 do
    local id, price = jobs[i], tonumber(jobs[i + 1])
    if left and price > left then break end
    left = left and left - price
    redis.call('ZREM', room .. ':broke', id)
    redis.call('HDEL', room .. ':aside', id)
    back = back + 1
    local seen = redis.call('HMGET', key_of('job:' .. id), 'st', 'pr', 'cr')
    if seen[1] == 'queued' then wait_in_room(queue, tenant, id, place_of(seen[2], seen[3])) end
  end
  -- Other tenants are seen to first the next time.
  if redis.call('EXISTS', room .. ':broke') == 1 then redis.call('ZADD', broke, now, tenant) else redis.call('ZREM', broke, tenant) end
  return back
end

-- More jobs of a room than this are never in use at a time.
local function most_seats(limits, queue)
  local most = limits.max > 0 and math.min(SEATS, limits.max) or SEATS
  return queue == 'call' and limits.slots > 0 and math.min(most, limits.slots) or most
end

-- The next ids in a room, at most `most` and none of a lower priority than the first; they leave it.
local function take_next(queue, tenant, room, most)
  local first, place, is_batch = first_of(room)
  if not is_batch then
    local batch = redis.call('ZRANGE', room .. ':batches', '0', '0', 'WITHSCORES')
    local last = math.min(end_of_priority(place) - 1, batch[2] and tonumber(batch[2]) or math.huge)
    local ids = redis.call('ZRANGE', room, '-inf', string.format('%.0f', last), 'BYSCORE', 'LIMIT', 0, most)
    redis.call('ZREM', room, unpack(ids))
    return ids
  end
  local batch, list = batch_of_member(first), lines_of_member(queue, first)
  local ids = redis.call('LRANGE', list, 0, most - 1)
  redis.call('LTRIM', list, #ids, -1)
  count_lines(tenant, batch, -#ids)
  place_batch(queue, tenant, first)
  return ids
end

-- Lets the next jobs of a tenant in, as many as could begin now; not before half of the seats are free, so that entries are added together.
-- Each is added to `entries` as {queue, id, step, turn, priority, batch}.
local function let_in(limits, queue, tenant, most, now, entries)
  local room = room_key(queue, tenant)
  local first, place = first_of(room)
  if not first then return redis.call('ZREM', K.waiting .. ':' .. queue, tenant) end
  local turn = turn_ahead(K.turns, tenant)
  local taken = count_before(room .. ':seats', place)
  local seats = taken * 2 < most_seats(limits, queue) and grantable(limits, queue, tenant, SEATS) or 0
  local last = end_of_priority(place)
  local priority = place < PRIORITY and 'high' or place < 2 * PRIORITY and 'normal' or 'low'
  local left = taken * 2 < seats and math.min(most, seats - taken) or 0
  while left > 0 and first and place < last do
    for _, id in ipairs(take_next(queue, tenant, room, left)) do
      local job = key_of('job:' .. id)
      local seen = read_state(job, 'ver', 'batch', 'cr')
      left = left - 1
      if not guard('let_in', seen, {}) then
        turn = next_turn(K.turns, tenant)
        redis.call('ZADD', room .. ':seats', place_of(priority, seen.cr), id)
        redis.call('HSET', job, 'tn', turn, 'due', now + SEAT_HELD_MS, 'ver', tonumber(seen.ver or '1') + 1)
        redis.call('ZADD', K.due, now + SEAT_HELD_MS, id)
        entries[#entries + 1] = { queue, id, seen.step, turn, priority, seen.batch or '' }
      end
    end
    first, place = first_of(room)
  end
  if not first then return redis.call('ZREM', K.waiting .. ':' .. queue, tenant) end
  redis.call('ZADD', K.waiting .. ':' .. queue, turn, tenant)
end

-- A job of this tenant has left its seat or returned its permit: the next come in, of the tenant whose turn it is and of its own.
local function next_in(queue, tenant, now, entries)
  local waiting = K.waiting .. ':' .. queue
  local first = redis.call('ZRANGE', waiting, '0', '0')[1]
  if not first then return end
  local limits = account_limits()
  if first ~= tenant then let_in(limits, queue, first, LET_IN, now, entries) end
  if first == tenant or redis.call('ZSCORE', waiting, tenant) then let_in(limits, queue, tenant, LET_IN, now, entries) end
end
