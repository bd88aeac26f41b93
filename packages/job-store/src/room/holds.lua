-- What holds the calls of all tenants alike.

-- The pause of a queue that began first.
local function pause_of(queue, now)
  local first
  local prefix = string.sub(K.waiting, 1, -#'waiting' - 1)
  for _, text in ipairs(redis.call('HVALS', prefix .. 'pauses:' .. queue)) do
    local pause = cjson.decode(text)
    if not (pause['until'] and pause['until'] <= now) and (not first or pause.since < first.since) then first = pause end
  end
  return first
end

-- Whether the calls of this minute are used up.
local function is_minute_over(limits, now)
  if limits.rpm == 0 then return false end
  local bucket = redis.call('HMGET', K.rpm, 'left', 'at')
  if not bucket[1] then return false end
  return tonumber(bucket[1]) + math.max(0, now - tonumber(bucket[2])) * limits.rpm / 60000 < 1
end
