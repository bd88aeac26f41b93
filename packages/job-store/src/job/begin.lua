#!lua flags=allow-oom
-- begin: writes `sent` before a byte of a paid call goes out, within the limits of the account.
-- KEYS 1 job 2 due 3 events 4 turns 5 inflight 6 rpm 7 batch (the job key when the entry names none) 8 brakes 9 entries that wait for them
-- ARGV 1 order {id, token, now, step, until, input_ms (more where the input is not in the record), over or nil, att, spent (of the taken over), max_in_flight, rpm}
-- Answers {'ok', record, what is known of refusals or false} | {'braked', ms} | {'stale'} | {'held', record} | {'unknown', record} | {'expired', record} | {'canceling', record} | {'wait', ms} | {'batch', id} when the batch has to be named
local order = cjson.decode(ARGV[1])
local job, due, events, turns, inflight, rpm = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local now = order.now
local refusals = redis.call('HGET', KEYS[8], 'state')

local seen = redis.call('HMGET', job, 'step', 'sb', 'su', 'exp', 'tn', 'started', 'prog', 'batch', 'q', 'inp')
local state = seen[1] and state_of(job)
if seen[2] == order.token then
  -- Sent again by the client library. The run may have been given up meanwhile, with our token kept for a late task id.
  if state == 'running/submitting' then return { 'ok', redis.call('HGETALL', job), refusals } end
  if state == 'canceling/submitting' then return { 'canceling', redis.call('HGETALL', job) } end
  return { 'stale' }
end
if tonumber(seen[1] or '-1') ~= order.step then return { 'stale' } end

local open = seen[2] and seen[2] ~= ''
if state == 'queued' then
  if tonumber(seen[4]) <= now then return { 'expired', redis.call('HGETALL', job) } end
elseif open and (state == 'running/submitting' or state == 'canceling/submitting') then
  if seen[2] ~= order.over then
    if tonumber(seen[3]) > now then return { 'held', redis.call('HGETALL', job) } end
    return { 'unknown', redis.call('HGETALL', job) }
  end
  if state == 'canceling/submitting' then return { 'canceling', redis.call('HGETALL', job) } end
else
  return { 'stale' }
end

local batch_id = seen[8] ~= '' and seen[8] or nil
if batch_id and KEYS[7] == job then return { 'batch', batch_id } end

-- A call that is taken over was open already when its brake closed.
local ahead_of = {}
if refusals and state == 'queued' then
  local comes, free_of = braked(KEYS[8], refusals, job, order)
  if comes then
    redis.call('ZADD', KEYS[9], now, seen[9] .. ' ' .. order.id .. ' ' .. order.step)
    redis.call('PEXPIRE', KEYS[9], brake_rules.keep_ms)
    return { 'braked', comes - now }
  end
  ahead_of = free_of
end

redis.call('ZREMRANGEBYSCORE', inflight, '-inf', now)
if order.max_in_flight > 0 and not redis.call('ZSCORE', inflight, order.id) and redis.call('ZCARD', inflight) >= order.max_in_flight then
  return { 'wait', 1000 }
end
if order.rpm > 0 then
  local bucket = redis.call('HMGET', rpm, 'left', 'at')
  local left = tonumber(bucket[1] or order.rpm)
  local at = tonumber(bucket[2] or now)
  left = math.min(order.rpm, left + math.max(0, now - at) * order.rpm / 60000)
  -- Where clocks differ the one that is ahead counts, else the same seconds would fill the bucket again and again. One that is ahead
  -- by more than a bucket was wrong.
  if at < now or at > now + 60000 then at = now end
  if left < 1 then
    redis.call('HSET', rpm, 'left', tostring(left), 'at', at)
    return { 'wait', math.ceil((1 - left) * 60000 / order.rpm) }
  end
  redis.call('HSET', rpm, 'left', tostring(left - 1), 'at', at)
end

if seen[10] then order['until'] = order['until'] + order.input_ms end
go_ahead(KEYS[8], ahead_of, order)
redis.call('ZADD', inflight, order['until'] + 60000, order.id)
if state == 'queued' then
  begin_turn(turns, seen[5])
  count_queued(turns, -1)
  -- Nothing ends here, so no work is needed that would finish the batch.
  if batch_id then count_in_batch(KEYS[7], batch_id, nil, nil, now, 'queued', 'running') end
else
  -- The call that is taken over was an attempt: it is written with the one that follows it.
  redis.call('HSET', job, 'att', order.att, 'spent', order.spent)
end
redis.call('HSET', job, 'st', 'running', 'sg', 'submitting', 'sb', order.token, 'sa', now, 'su', order['until'], 'tok', order.token, 'due', order['until'])
if not seen[6] then redis.call('HSET', job, 'started', now) end
redis.call('ZADD', due, order['until'], order.id)
if state == 'queued' then emit(events, job, order.id, 'job.started', seen[7] or 0) end
return { 'ok', redis.call('HGETALL', job), refusals }
