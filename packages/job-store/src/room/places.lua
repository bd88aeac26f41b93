-- Where the queued jobs of a tenant wait: names and places.
-- A place is the priority, high 0, normal 1 and low 2, times PRIORITY, and the time at which the job was made.
-- A committed batch is one member of a room for each priority among its lines: it stands in <room>:batches as `<batch> <priority>`, at the place of its
-- next line. The lines that have not left it yet stand in lists of their own, in their order. <K.waiting>:#lines:<tenant> has how many each batch has left.

local function room_key(queue, tenant)
  return K.waiting .. ':' .. queue .. ':' .. tenant
end

-- A key beside that of the rooms.
local function key_of(rest)
  return string.sub(K.waiting, 1, -#'waiting' - 1) .. rest
end

local function priority_rank(priority)
  return priority == 'high' and 0 or priority == 'low' and 2 or 1
end

local function place_of(priority, created)
  return priority_rank(priority) * PRIORITY + tonumber(created)
end

local function batch_of_member(member)
  return string.sub(member, 1, string.find(member, ' ', 1, true) - 1)
end

-- The list of the lines that a batch has left, of one queue and priority; batch/add.lua fills it.
local function lines_of_member(queue, member)
  local space = string.find(member, ' ', 1, true)
  return key_of('batch:' .. string.sub(member, 1, space - 1) .. ':lines:' .. queue .. ':' .. string.sub(member, space + 1))
end

local function count_lines(tenant, batch, by)
  local left = K.waiting .. ':#lines:' .. tenant
  if redis.call('HINCRBY', left, batch, by) <= 0 then redis.call('HDEL', left, batch) end
end

-- The batch stands at the place of its next line, or leaves the room.
local function place_batch(queue, tenant, member)
  local batches, first = room_key(queue, tenant) .. ':batches', redis.call('LINDEX', lines_of_member(queue, member), 0)
  if not first then return redis.call('ZREM', batches, member) end
  local seen = redis.call('HMGET', key_of('job:' .. first), 'pr', 'cr')
  redis.call('ZADD', batches, place_of(seen[1], seen[2]), member)
end

-- Who is next in a room: a job or a member of its batches, its place, and whether it is a batch.
local function first_of(room)
  local job = redis.call('ZRANGE', room, '0', '0', 'WITHSCORES')
  local batch = redis.call('ZRANGE', room .. ':batches', '0', '0', 'WITHSCORES')
  local place, head = job[2] and tonumber(job[2]) or math.huge, batch[2] and tonumber(batch[2]) or math.huge
  if batch[1] and head < place then return batch[1], head, true end
  return job[1], place, false
end

-- The job that is next in a room.
local function first_job(queue, room)
  local first, _, is_batch = first_of(room)
  return is_batch and redis.call('LINDEX', lines_of_member(queue, first), 0) or first
end

local function is_empty(room)
  return redis.call('EXISTS', room, room .. ':batches') == 0
end

local function forget_if_empty(queue, tenant)
  if is_empty(room_key(queue, tenant)) then redis.call('ZREM', K.waiting .. ':' .. queue, tenant) end
end
