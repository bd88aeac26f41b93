-- For all scripts that write.

-- The time of a script: that of Redis, so that no clock of a process counts; tests and the simulation give one.
local function now_of(order)
  if order.now then return order.now end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Processes know the time of Redis as they last asked for it: by this much they may be wrong before what they say of a time is refused.
local CLOCKS_AGREE_MS = 5000

-- A whole number as commands take it. Of one that is given to several, each prints 17 digits.
local function text_of(number)
  return string.format('%d', number)
end

-- Whether what is there since `since` is to stay, as it is kept for `kept_ms`. now: as tests give it, or nil
local function is_kept(since, kept_ms, now)
  local kept = tonumber(kept_ms)
  return kept > 0 and tonumber(since or '0') + kept > now_of({ now = tonumber(now or '') })
end

local function contains(list, item)
  for _, each in ipairs(list) do
    if each == item then return true end
  end
  return false
end
