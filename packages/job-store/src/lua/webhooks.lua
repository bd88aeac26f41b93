-- Shared by the scripts of deliveries; put behind the prelude by scripts.ts, with the numbers of ENDPOINT_RULES as `rules`.
-- A delivery's fields: id tenant job_id|batch_id run type url state step tries att created next · tok token of the last change ·
-- seq of the event · as, asg, aprog the job as it was then · once, extra of a resend · asked 1 until the try is made that a resend
-- asked for amid the others.
-- An endpoint's fields: avg what a try takes · line the last slot given out · park the same behind an open breaker ·
-- win JSON [[bucket, tries, failed], …] · since failing since · till, rest the breaker: open until, for how long · probe its token ·
-- off, why disabled at and for what. Its open tries are a sorted set of their own: token → end of the lease.

local WEEK = 604800000

local function number_or(text, otherwise)
  return text and tonumber(text) or otherwise
end

-- What a delivery has come to is shown on its subject too, when it is the newest there.
local function write_state(delivery, subject, due_set, id, token, state, next, due)
  redis.call('HSET', delivery, 'state', state, 'tok', token, 'next', next or '')
  if due then redis.call('ZADD', due_set, due, id) else redis.call('ZREM', due_set, id) end
  -- Of an erased subject nothing is kept for ever: its delivery goes a week after its last try.
  if state ~= 'pending' and redis.call('EXISTS', subject) == 0 then redis.call('PEXPIRE', delivery, WEEK) end
  if redis.call('HGET', subject, 'whd') == id then
    redis.call('HSET', subject, 'whs', state == 'skipped' and 'failed' or state)
  end
end

local function keep_endpoint(endpoint, open)
  redis.call('PEXPIRE', endpoint, rules.forgetAfterMs)
  redis.call('PEXPIRE', open, rules.forgetAfterMs)
end

-- What a try takes now: the average, or the age of one that is open for longer than that.
local function likely_ms(avg, open, now)
  local oldest = redis.call('ZRANGE', open, 0, 0, 'WITHSCORES')
  local age = oldest[2] and now - (tonumber(oldest[2]) - rules.leaseMs) or 0
  return math.min(math.max(avg or rules.firstAverageMs, age), rules.maxGapMs * rules.openTries)
end

-- A slot in the line of those that wait for a place.
local function slot_in_line(endpoint, line, ms, now)
  local gap = math.min(math.max(ms / rules.openTries, rules.minGapMs), rules.maxGapMs)
  line = math.max(line, now) + gap
  redis.call('HSET', endpoint, 'line', string.format('%.3f', line))
  return math.ceil(math.max(line, now + rules.minWaitMs))
end

-- A slot behind the probe of an open breaker; the first one is the probe.
local function slot_behind_probe(endpoint, park, first)
  local slot = math.ceil(math.max(first, park + rules.parkGapMs))
  redis.call('HSET', endpoint, 'park', slot)
  return slot
end

-- Counts a try in the window and says how many there were, and how many of them failed.
local function count_try(endpoint, win, failed, now)
  local bucket, tries, bad, kept = math.floor(now / rules.bucketMs), 0, 0, {}
  for _, each in ipairs(win and cjson.decode(win) or {}) do
    if each[1] > bucket - rules.windowMs / rules.bucketMs then kept[#kept + 1] = each end
  end
  if #kept == 0 or kept[#kept][1] < bucket then kept[#kept + 1] = { bucket, 0, 0 } end
  local last = kept[#kept]
  last[2], last[3] = last[2] + 1, last[3] + failed
  for _, each in ipairs(kept) do tries, bad = tries + each[2], bad + each[3] end
  redis.call('HSET', endpoint, 'win', cjson.encode(kept))
  return tries, bad
end

-- The average moves by a fifth, and the line with it: it is a number of tries, not a time.
local function learn_ms(endpoint, seen, took, now)
  local old = tonumber(seen.avg)
  local avg = old and old * 0.8 + took * 0.2 or took
  redis.call('HSET', endpoint, 'avg', string.format('%.3f', avg))
  local ahead = number_or(seen.line, 0) - now
  if old and old > 0 and ahead > 0 then redis.call('HSET', endpoint, 'line', string.format('%.3f', now + ahead * avg / old)) end
end

local function succeeded(endpoint, seen, began, now)
  redis.call('HDEL', endpoint, 'since')
  if seen.off and began > tonumber(seen.off) then redis.call('HDEL', endpoint, 'off', 'why') end
  if seen.till then
    redis.call('HDEL', endpoint, 'till', 'rest', 'probe', 'win')
    return 'closed'
  end
  count_try(endpoint, seen.win, 0, now)
  return ''
end

local function failed(endpoint, seen, token, gone, now, counters)
  local tries, bad = count_try(endpoint, seen.win, 1, now)
  local since = number_or(seen.since, now)
  redis.call('HSET', endpoint, 'since', since)
  local opened = false
  if seen.till then
    if seen.probe == token then
      local rest = math.min(number_or(seen.rest, rules.restMs) * 2, rules.maxRestMs)
      redis.call('HSET', endpoint, 'till', now + rest, 'rest', rest)
      redis.call('HDEL', endpoint, 'probe')
    end
  elseif tries >= rules.minTries and bad / tries >= rules.failedShare then
    redis.call('HSET', endpoint, 'till', now + rules.restMs, 'rest', rules.restMs)
    redis.call('HINCRBY', counters, 'breakers_opened', 1)
    opened = true
  end
  if not seen.off and (gone or now - since >= rules.disableAfterMs) then
    redis.call('HSET', endpoint, 'off', now, 'why', gone and 'gone' or 'failing')
    redis.call('HINCRBY', counters, 'endpoints_disabled', 1)
    return 'disabled'
  end
  return opened and 'opened' or ''
end

-- The end of a try: gives its place back and takes note of what came of it. A try whose lease is over, or that was ended
-- before, changes nothing; so the end of a try may be told twice.
local function end_try(endpoint, open, try, now, counters)
  local lease = redis.call('ZSCORE', open, try.token)
  if not lease then return '' end
  redis.call('ZREM', open, try.token)
  if tonumber(lease) <= now or try.result == 'none' then return '' end
  local names, seen = { 'avg', 'line', 'win', 'since', 'till', 'rest', 'probe', 'off' }, {}
  local values = redis.call('HMGET', endpoint, unpack(names))
  for i, name in ipairs(names) do seen[name] = values[i] or nil end
  local began = tonumber(lease) - rules.leaseMs
  learn_ms(endpoint, seen, now - began, now)
  keep_endpoint(endpoint, open)
  if try.result == 'ok' then return succeeded(endpoint, seen, began, now) end
  return failed(endpoint, seen, try.token, try.result == 'gone', now, counters)
end
