-- How many jobs of a tenant wait for their call, wherever they stand (see room.lua).

-- Some of the jobs of a room that are set aside, others each time: of all there can be many thousand, which would hold up everybody.
local function some_aside(room, most)
  return redis.call('HRANDFIELD', room .. ':aside', most)
end

-- Jobs of a tenant that are queued, the lines that committed batches have left among them.
local function queued_of(tenant)
  local queued = 0
  for _, lines in ipairs(redis.call('HVALS', K.waiting .. ':#lines:' .. tenant)) do queued = queued + tonumber(lines) end
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
  for _, queue in ipairs({ 'call', 'submit' }) do
    local room = room_key(queue, tenant)
    for _, id in ipairs(some_aside(room, 20)) do
      if redis.call('HGET', key_of('job:' .. id), 'st') ~= 'queued' then queued = queued - redis.call('HDEL', room .. ':aside', id) end
    end
  end
  if queued + more > most then return { 'queue', most, queued, more } end
end
