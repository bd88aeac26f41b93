-- How many jobs of a tenant wait for their call, wherever they stand (see room.lua).

local function room_key(queue, tenant)
  return K.waiting .. ':' .. queue .. ':' .. tenant
end

-- Some of the jobs of a room that are set aside, others each time: of all there can be many thousand, which would hold up everybody.
local function some_aside(room, most)
  return redis.call('HRANDFIELD', room .. ':aside', most)
end

-- Jobs of a tenant that are queued, lines of committed batches that have still to enter among them.
local function queued_of(tenant)
  local queued, opening = 0, K.waiting .. ':#opening:' .. tenant
  local prefix = string.sub(K.waiting, 1, -#'waiting' - 1) .. 'operation:batch-open:'
  local batches = redis.call('HGETALL', opening)
  for i = 1, #batches, 2 do
    -- A release that knows nothing of this has opened it.
    if redis.call('EXISTS', prefix .. batches[i]) == 0 then redis.call('HDEL', opening, batches[i])
    else queued = queued + tonumber(batches[i + 1]) end
  end
  for _, queue in ipairs({ 'call', 'submit' }) do
    local room = room_key(queue, tenant)
    queued = queued + redis.call('ZCARD', room) + redis.call('ZCARD', room .. ':seats') + redis.call('HLEN', room .. ':aside')
  end
  return queued
end

-- Whether a tenant of which `most` jobs may be queued (0 or nil is no limit) can have `more` of them: nothing, or
-- {'queue', limit, queued, more}.
local function queue_refusal(tenant, most, more)
  if not most or most == 0 then return end
  local queued = queued_of(tenant)
  if queued + more <= most then return end
  -- A release that knows nothing of jobs that were set aside leaves them there when they begin.
  local prefix = string.sub(K.waiting, 1, -#'waiting' - 1) .. 'job:'
  for _, queue in ipairs({ 'call', 'submit' }) do
    local room = room_key(queue, tenant)
    for _, id in ipairs(some_aside(room, 20)) do
      if redis.call('HGET', prefix .. id, 'st') ~= 'queued' then queued = queued - redis.call('HDEL', room .. ':aside', id) end
    end
  end
  if queued + more > most then return { 'queue', most, queued, more } end
end
