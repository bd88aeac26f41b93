-- waiting: why queued jobs wait, and where they stand among those of their tenant.
-- order {now|nil, jobs [id …], batches [{id, tenant, cr (when it was made)} …]}
-- Answers {id, reason, since, position or 0} for each that waits; of a batch as of its first line that does
local order = cjson.decode(A.order)
local time = redis.call('TIME')
local now = order.now or time[1] * 1000 + math.floor(time[2] / 1000)
local prefix = string.sub(K.waiting, 1, -#'waiting' - 1)
local limits, answers, known = account_limits(), {}, {}

-- What `make` says of this, asked once.
local function once(what, make)
  if known[what] == nil then known[what] = make() or false end
  return known[what]
end

-- Which limit stops the next call of a tenant.
local function limit_of(queue, tenant)
  local own = left_of_tenant(limits, queue, tenant, redis.call('ZCARD', permits_key(queue, tenant)))
  if own and own < 1 then return 'tenant_limit' end
  if grantable(limits, queue, tenant, 1) < 1 then return 'account_limit' end
  if once('minute', function() return is_minute_over(limits, now) end) then return 'rate_limit' end
end

-- Where a line stands among those that its batch has left for this queue and priority: they are in the order of their numbers.
local function index_of_line(list, line)
  local low, high = 0, redis.call('LLEN', list) - 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('HGET', prefix .. 'job:' .. redis.call('LINDEX', list, middle), 'ln') or '0') < line then low = middle + 1
    else high = middle end
  end
  return low
end

-- The places of the batches in a room, and how many lines those before each of them have left. nil of more than 1 000.
local function batches_in(queue, room)
  if redis.call('ZCARD', room .. ':batches') > 1000 then return end
  local batches = { places = {}, before = {}, lines = 0 }
  local members = redis.call('ZRANGE', room .. ':batches', 0, -1, 'WITHSCORES')
  for i = 1, #members, 2 do
    batches.places[#batches.places + 1], batches.before[#batches.before + 1] = tonumber(members[i + 1]), batches.lines
    batches.lines = batches.lines + redis.call('LLEN', lines_of_member(queue, members[i]))
  end
  return batches
end

-- Lines of batches that go before this place; nil: there are too many batches to say it.
local function lines_before(queue, room, place)
  local batches = once('batches ' .. room, function() return batches_in(queue, room) end)
  if not batches then return end
  -- Behind the last that is before it.
  local low, high = 1, #batches.places + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if batches.places[middle] < tonumber(place) then low = middle + 1 else high = middle end
  end
  return batches.before[low] or batches.lines
end

local function position_of(queue, room, id, batch)
  for _, sets in ipairs({ { room .. ':seats', room }, { room, room .. ':seats' } }) do
    local place = redis.call('ZSCORE', sets[1], id)
    if place then
      local lines = lines_before(queue, room, place)
      return lines and lines + redis.call('ZRANK', sets[1], id) + redis.call('ZCOUNT', sets[2], '-inf', '(' .. place) + 1 or 0
    end
  end
  if not batch then return 0 end
  local seen = redis.call('HMGET', prefix .. 'job:' .. id, 'pr', 'ln')
  local member = batch .. ' ' .. priority_rank(seen[1])
  local head = redis.call('ZSCORE', room .. ':batches', member)
  -- One that is being canceled has left the room, with all its lines.
  if not head then return 0 end
  -- Who has left it for a seat, or is back in the room, was before it.
  local lines = lines_before(queue, room, head)
  if not lines then return 0 end
  local before = redis.call('ZCOUNT', room .. ':seats', '-inf', head) + redis.call('ZCOUNT', room, '-inf', head)
  return before + lines + index_of_line(lines_of_member(queue, member), tonumber(seen[2])) + 1
end

local function explain(name, id)
  local seen = redis.call('HMGET', prefix .. 'job:' .. id, 'st', 'q', 'tenant', 'cr', 'at', 'run', 'started', 'batch')
  if seen[1] ~= 'queued' then return end
  local queue, tenant = seen[2], seen[3]
  local room = room_key(queue, tenant)
  -- Since the run began to wait: of the first one nothing has happened before.
  local since = (seen[6] == '1' and not seen[7] or not seen[5]) and seen[4] or seen[5]
  local pause = once('pause ' .. queue, function() return pause_of(queue, now) end)
  local aside = redis.call('HGET', room .. ':aside', id)
  local reason
  if aside then
    local space = string.find(aside, ' ', 1, true)
    reason, since = string.sub(aside, 1, space - 1), string.sub(aside, space + 1)
  elseif pause then
    reason, since = 'paused:' .. pause.reason, math.max(pause.since, tonumber(since))
  else
    reason = once('limit ' .. queue .. ' ' .. tenant, function() return limit_of(queue, tenant) end) or 'turn'
  end
  answers[#answers + 1] = { name, reason, string.format('%.0f', since), aside and 0 or position_of(queue, room, id, seen[8]) }
  return true
end

-- The first of these that is a line of the batch.
local function line_among(ids, batch)
  for _, id in ipairs(ids) do
    if redis.call('HGET', prefix .. 'job:' .. id, 'batch') == batch then return id end
  end
end

-- The first line of each batch among these.
local function lines_among(ids)
  local first = {}
  for _, id in ipairs(ids) do
    local of = redis.call('HGET', prefix .. 'job:' .. id, 'batch')
    if of and not first[of] then first[of] = id end
  end
  return first
end

-- The first line of a batch with a seat. At most 100 of a tenant have one, and all its batches are asked for together.
local function seated_line(room, batch)
  return once('seats ' .. room, function() return lines_among(redis.call('ZRANGE', room .. ':seats', 0, -1)) end)[batch]
end

-- A line of a batch that is set aside, if it is among some of those.
local function line_aside(room, batch)
  return once('aside ' .. room, function() return lines_among(some_aside(room, 50)) end)[batch]
end

-- The first of the lines that it has left.
local function line_of(queue, batch)
  for rank = 0, 2 do
    local line = redis.call('LINDEX', lines_of_member(queue, batch .. ' ' .. rank), 0)
    if line then return line end
  end
end

-- Lines that are back in the room were made after it: among the first of these in the room of each priority there is one of it.
local function line_in_room(room, batch)
  for _, priority in ipairs({ 0, 1, 2 }) do
    local from = string.format('%.0f', priority * PRIORITY + batch.cr)
    local last = '(' .. string.format('%.0f', (priority + 1) * PRIORITY)
    local line = line_among(redis.call('ZRANGE', room, from, last, 'BYSCORE', 'LIMIT', 0, 50), batch.id)
    if line then return line end
  end
end

for _, id in ipairs(order.jobs) do explain(id, id) end
for _, batch in ipairs(order.batches) do
  for _, find in ipairs({
    function(room) return seated_line(room, batch.id) end,
    function(_, queue) return line_of(queue, batch.id) end,
    function(room) return line_in_room(room, batch) end,
    function(room) return line_aside(room, batch.id) end,
  }) do
    local line = find(room_key('call', batch.tenant), 'call') or find(room_key('submit', batch.tenant), 'submit')
    if line and explain(batch.id, line) then break end
  end
end
return answers
