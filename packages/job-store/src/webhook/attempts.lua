-- Shared by the scripts that place, begin and end webhook attempts, with the numbers of ENDPOINT_RULES as `rules`.
-- A delivery's fields: id tenant job_id|batch_id run type url state step made att created next · tok token of the last change ·
-- seq of the event · as, asg, aprog the job as it was then · once, extra of a resend · asked 1 until the attempt is made that a
-- resend asked for amid the others · lease token of the attempt that is open · lost how many workers died with one.
-- An endpoint's fields: permits how many attempts may be open · win JSON [[bucket, attempts, failed], …] · since failing since ·
-- till, rest the breaker: open until, for how long · probe, probing its token and the end of its lease · off, why disabled at and
-- for what · on when it was last enabled by a person. A host has the breaker's fields.
-- Open attempts: sorted set, `token delivery` → end of the lease. Room: sorted set, delivery → when it was due.
-- Rooms: sorted set, endpoint → when to check its room.

local WEEK = 604800000

-- The endpoint with this name: its keys (ENDPOINT_KEYS) are the script's.
local function endpoint_named(name)
  return { id = name, open = K.open_attempts, room = K.room, rooms = K.rooms }
end

-- How an endpoint or a host fares: its hash as a table, that is read once by a script and written through.
local function read_fares(key)
  local found = redis.call('HMGET', key, 'till', 'rest', 'probe', 'probing', 'win', 'permits', 'since', 'off', 'on')
  return { key = key, till = found[1] or nil, rest = found[2] or nil, probe = found[3] or nil, probing = found[4] or nil,
    win = found[5] or nil, permits = found[6] or nil, since = found[7] or nil, off = found[8] or nil, on = found[9] or nil }
end

local function own_of(e)
  if not e.own then e.own = read_fares(K.endpoint) end
  return e.own
end

local function host_of(e)
  if not e.host then e.host = read_fares(K.host) end
  return e.host
end

-- Sets field, value, …
local function set_fares(fares, ...)
  local values = { ... }
  for i = 1, #values, 2 do fares[values[i]] = values[i + 1] end
  redis.call('HSET', fares.key, ...)
end

local function drop_fares(fares, ...)
  local there = false
  for _, field in ipairs({ ... }) do
    there, fares[field] = there or fares[field] ~= nil, nil
  end
  if there then redis.call('HDEL', fares.key, ...) end
end

local function number_or(text, otherwise)
  return text and tonumber(text) or otherwise
end

-- A key of the same kind as `key`, for another id.
local function sibling(key, id, other)
  return string.sub(key, 1, #key - #id) .. other
end

-- What a delivery has come to is shown on its subject too, when it is the newest there. `more`: further fields, field and value.
local function write_state(delivery, subject, due_set, pending, id, token, state, next, due, more)
  redis.call('HSET', delivery, 'state', state, 'tok', token, 'next', next or '', unpack(more or {}))
  if due then redis.call('ZADD', due_set, due, id) else redis.call('ZREM', due_set, id) end
  if state == 'pending' then
    redis.call('ZADD', pending, 'NX', redis.call('HGET', delivery, 'created') or 0, id)
  else
    redis.call('ZREM', pending, id)
  end
  local newest = redis.call('HGET', subject, 'whd')
  if newest == id then
    redis.call('HSET', subject, 'whs', state == 'skipped' and 'failed' or state)
  elseif not newest and state ~= 'pending' and redis.call('EXISTS', subject) == 0 then
    -- Of an erased subject nothing is kept for ever: its delivery goes a week after its last attempt.
    redis.call('PEXPIRE', delivery, WEEK)
  end
end

-- How it fares is forgotten some time after its last use.
local function keep_fares()
  for _, key in ipairs({ K.endpoint, K.host }) do redis.call('PEXPIRE', key, rules.forgetAfterMs) end
end

local function permits_of(e)
  return math.floor(number_or(own_of(e).permits, rules.permits))
end

-- Until when a breaker lets nothing through, of the host or of the endpoint; nil when none is open. One whose time is over lets one
-- attempt through, its probe.
local function open_until(e, now)
  for _, fares in ipairs({ host_of(e), own_of(e) }) do
    local till, probing = tonumber(fares.till or ''), tonumber(fares.probing or '')
    if till and now < till then return till end
    if till and probing and now < probing then return now + rules.checkAgainMs end
  end
end

local function is_paused(e)
  if e.paused == nil then e.paused = redis.call('EXISTS', K.deliver_pauses) == 1 end
  return e.paused
end

-- Why no attempt may begin now, and when to check again; nil when one may.
local function why_not(e, now)
  if is_paused(e) then return 'paused', now + rules.checkAgainMs end
  local till = open_until(e, now)
  if till then return 'breaker', till end
  redis.call('ZREMRANGEBYSCORE', e.open, '-inf', now)
  if redis.call('ZCARD', e.open) >= permits_of(e) then return 'permits', now + rules.checkAgainMs end
end

-- Asked once by a script, and noted by what changes it.
local function is_room_empty(e)
  if e.empty == nil then e.empty = redis.call('EXISTS', e.room) == 0 end
  return e.empty
end

local function leave_room(e, id)
  if redis.call('ZREM', e.room, id) == 0 then return end
  e.empty = nil
  if is_room_empty(e) then redis.call('ZREM', e.rooms, e.id) end
end

-- The delivery has no entry: the end of another attempt, or a check of the room, lets it out.
local function enter_room(e, id, due, check)
  e.empty = false
  redis.call('ZADD', e.room, due, id)
  redis.call('ZADD', e.rooms, 'LT', check, e.id)
end

-- Says when the room has to be checked, should nothing happen in it until then.
local function note_room(e, now)
  if is_room_empty(e) then return end
  redis.call('ZADD', e.rooms, not is_paused(e) and open_until(e, now) or now + rules.checkAgainMs, e.id)
end

-- The attempt is open from now on. It holds a permit until it ends, or its lease does.
local function begin_attempt(e, delivery, due_set, id, token, now)
  local ends = now + rules.leaseMs
  redis.call('ZADD', e.open, ends, token .. ' ' .. id)
  redis.call('PEXPIRE', e.open, rules.forgetAfterMs)
  for _, fares in ipairs({ host_of(e), own_of(e) }) do
    if fares.till then set_fares(fares, 'probe', token, 'probing', ends) end
  end
  redis.call('HSET', delivery, 'lease', token)
  redis.call('ZADD', due_set, ends + rules.lostAfterMs, id)
end

-- The key of the job or batch that a delivery is about.
local function subject_of(delivery, id, job_id, batch_id)
  local prefix = string.sub(delivery, 1, #delivery - #id - #'delivery:')
  if job_id and job_id ~= '' then return prefix .. 'job:' .. job_id end
  return prefix .. 'batch:' .. (batch_id or '')
end

local function context(token, delivery, subject)
  return { token, redis.call('HGETALL', delivery), read_job(subject) }
end

-- Begins attempts of those that have waited longest, one for each token, as far as there are permits. Their keys are made from
-- `like`, the key of the delivery `like_id`: who comes next is known only here. Answers {token, delivery, subject} for each.
local function hand_over(e, tokens, due_set, like, like_id, now)
  local begun = {}
  if #tokens == 0 or own_of(e).off then return begun end
  local looked_at = 0
  while #begun < #tokens and looked_at < 50 do
    local first = redis.call('ZRANGE', e.room, '0', '0')[1]
    e.empty = not first
    if not first or why_not(e, now) then break end
    looked_at = looked_at + 1
    leave_room(e, first)
    local delivery, token = sibling(like, like_id, first), tokens[#begun + 1]
    local seen = redis.call('HMGET', delivery, 'state', 'job_id', 'batch_id')
    if seen[1] == 'pending' then
      redis.call('HINCRBY', delivery, 'step', '1')
      begin_attempt(e, delivery, due_set, first, token, now)
      begun[#begun + 1] = context(token, delivery, subject_of(delivery, first, seen[2], seen[3]))
    end
  end
  return begun
end

-- The same answer once more, for a script that the client library has sent again.
local function handed_over(e, tokens, like, like_id)
  local begun = {}
  if #tokens == 0 then return begun end
  local members = redis.call('ZRANGE', e.open, 0, -1)
  for _, token in ipairs(tokens) do
    for _, member in ipairs(members) do
      if string.sub(member, 1, #token + 1) == token .. ' ' then
        local id = string.sub(member, #token + 2)
        local delivery = sibling(like, like_id, id)
        local seen = redis.call('HMGET', delivery, 'job_id', 'batch_id')
        begun[#begun + 1] = context(token, delivery, subject_of(delivery, id, seen[1], seen[2]))
      end
    end
  end
  return begun
end

-- Counts an attempt in the window and says how many there were, and how many of them failed. How it fares is forgotten some time after its
-- last use: each bucket puts that off.
local function count_attempt(fares, failed, now)
  local bucket, attempts, bad, kept = math.floor(now / rules.bucketMs), 0, 0, {}
  for _, each in ipairs(fares.win and cjson.decode(fares.win) or {}) do
    if each[1] > bucket - rules.windowMs / rules.bucketMs then kept[#kept + 1] = each end
  end
  local is_first = #kept == 0 or kept[#kept][1] < bucket
  if is_first then kept[#kept + 1] = { bucket, 0, 0 } end
  local last = kept[#kept]
  last[2], last[3] = last[2] + 1, last[3] + failed
  for _, each in ipairs(kept) do attempts, bad = attempts + each[2], bad + each[3] end
  set_fares(fares, 'win', cjson.encode(kept))
  if is_first then redis.call('PEXPIRE', fares.key, rules.forgetAfterMs) end
  return attempts, bad
end

-- What one attempt says of a breaker: of the endpoint's, or of its host's. Answers 'opened', 'closed' or ''.
local function update_breaker(fares, token, failed, now)
  if not failed then
    if fares.till then
      drop_fares(fares, 'till', 'rest', 'probe', 'probing', 'win')
      return 'closed'
    end
    count_attempt(fares, 0, now)
    return ''
  end
  local attempts, bad = count_attempt(fares, 1, now)
  if fares.till then
    if fares.probe == token then
      local rest = math.min(number_or(fares.rest, rules.restMs) * 2, rules.maxRestMs)
      set_fares(fares, 'till', now + rest, 'rest', rest)
      drop_fares(fares, 'probe', 'probing')
    end
    return ''
  end
  if attempts < rules.minAttempts or bad / attempts < rules.failedShare then return '' end
  set_fares(fares, 'till', now + rules.restMs, 'rest', rules.restMs)
  return 'opened'
end

-- A probe that says nothing leaves room for another.
local function drop_probe(e, token)
  for _, fares in ipairs({ host_of(e), own_of(e) }) do
    if fares.probe == token then drop_fares(fares, 'probe', 'probing') end
  end
end

local function learn_permits(own, attempt)
  local quick = attempt.result == 'ok' and attempt.took < rules.quickMs
  local permits = number_or(own.permits, rules.permits)
  if quick and permits < rules.maxPermits then
    set_fares(own, 'permits', tostring(math.min(rules.maxPermits, permits + rules.permitsUp)))
  elseif not quick and permits > rules.permits then
    drop_fares(own, 'permits')
  end
end

-- The end of the lease of an attempt that is open, or nil.
local function lease_of(e, id, attempt)
  return tonumber(redis.call('ZSCORE', e.open, attempt.token .. ' ' .. id) or '')
end

-- The end of an attempt: gives its permit back and takes note of what came of it. An attempt whose lease is over, or that was
-- ended before (`lease` nil), changes nothing; so the end of an attempt may be sent twice.
local function end_attempt(e, id, attempt, lease, now, counters)
  if not lease then return '' end
  redis.call('ZREM', e.open, attempt.token .. ' ' .. id)
  if lease <= now or attempt.result == 'none' then
    drop_probe(e, attempt.token)
    return ''
  end
  local own, began = own_of(e), lease - rules.leaseMs
  learn_permits(own, attempt)
  update_breaker(host_of(e), attempt.token, attempt.result ~= 'ok' and not attempt.answered, now)
  local became = update_breaker(own, attempt.token, attempt.result ~= 'ok', now)
  if became == 'opened' then redis.call('HINCRBY', counters, 'breakers_opened', 1) end
  if attempt.result == 'ok' then
    drop_fares(own, 'since')
    if own.off and began > tonumber(own.off) then drop_fares(own, 'off', 'why') end
  else
    local since = number_or(own.since, now)
    set_fares(own, 'since', since)
    -- What it was told before somebody repaired the receiver is no reason to disable it again.
    local is_news = began >= number_or(own.on, 0)
    if not own.off and is_news and (attempt.result == 'gone' or now - since >= rules.disableAfterMs) then
      set_fares(own, 'off', now, 'why', attempt.result == 'gone' and 'gone' or 'failing')
      redis.call('HINCRBY', counters, 'endpoints_disabled', 1)
      became = 'disabled'
    end
  end
  return became
end

-- A delivery that has just been written. Its maker may begin the first attempt at once; where permits or the breaker speak against
-- it, or its maker is busy with others, the delivery waits in the room; in all other cases an entry has to be added. Answers 'open', 'room' or 'entry'.
local function place_delivery(e, delivery, due_set, made, now)
  local id = made.id
  if own_of(e).off then return 'entry' end
  local why, check = why_not(e, now)
  if why == 'permits' or why == 'breaker' then
    enter_room(e, id, now, check)
    return 'room'
  end
  if not why and made.busy and redis.call('ZCARD', e.open) > 0 then
    enter_room(e, id, now, now + rules.checkAgainMs)
    return 'room'
  end
  if why or not made.token then return 'entry' end
  -- Also past those who wait: there is a permit more than they are using, and the end of this attempt lets one of them out.
  begin_attempt(e, delivery, due_set, id, made.token, now)
  return 'open'
end

-- Where a delivery of which that was asked before stands by now.
local function placed_before(e, delivery, id, token)
  if token and redis.call('HGET', delivery, 'lease') == token then return 'open' end
  return redis.call('ZSCORE', e.room, id) and 'room' or 'entry'
end
