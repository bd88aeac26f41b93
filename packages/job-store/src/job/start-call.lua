-- start_call: takes the lease of a paid call, before a byte of it goes out, within the limits of the account.
-- order {id, token, now|nil, step, lease_ms, input_ms (more where the input is not in the record), over (the lease of a dead holder) or nil,
--      att, used (attempts that are used up with that of the dead holder), max_in_flight, rpm}
-- Answers {'ok', record, what is known of refusals or false} | {'braked', ms} | {'stale'} | {'held', record, ms} | {'unknown', record} |
-- {'expired', record} | {'canceling', record} | {'wait', ms} | {'batch', id} when the batch has to be named
local order = cjson.decode(A.order)
local job, due, events, turns, inflight, rpm = K.job, K.due, K.events, K.turns, K.inflight, K.rpm
local now = now_of(order)
order.now = now
local refusals = redis.call('HGET', K.brakes, 'state')

local seen = read_state(job, 'su', 'exp', 'tn', 'started', 'prog', 'batch', 'q', 'inp', 'ver')
local state = seen.state
if seen.lease == order.token then
  -- Sent again by the client library. The run may have been given up meanwhile, with our token kept for a late task id.
  if state == 'running/submitting' then return { 'ok', read_job(job), refusals } end
  if state == 'canceling/submitting' then return { 'canceling', read_job(job) } end
  return { 'stale' }
end
local canceling = state == 'canceling/submitting' and seen.step == order.step
if guard('start_call', seen, order) and not canceling then return { 'stale' } end
if state == 'queued' then
  if tonumber(seen.exp) <= now then return { 'expired', read_job(job) } end
elseif seen.lease ~= order.over then
  local left = tonumber(seen.su) - now
  if left > 0 then return { 'held', read_job(job), left } end
  return { 'unknown', read_job(job) }
elseif canceling then
  return { 'canceling', read_job(job) }
end

local batch_id = seen.batch ~= '' and seen.batch or nil
if batch_id and not K.batch then return { 'batch', batch_id } end

-- A call that is taken over was open already when its brake closed.
local ahead_of = {}
if refusals and state == 'queued' then
  local comes, free_of = braked(K.brakes, refusals, job, order)
  if comes then
    redis.call('ZADD', K.braked, now, seen.q .. ' ' .. order.id .. ' ' .. order.step)
    redis.call('PEXPIRE', K.braked, brake_rules.keep_ms)
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

order['until'] = now + order.lease_ms + (seen.inp and order.input_ms or 0)
go_ahead(K.brakes, ahead_of, order)
redis.call('ZADD', inflight, order['until'] + 60000, order.id)
if state == 'queued' then
  begin_turn(turns, seen.tn)
  count_queued(turns, -1)
  -- Nothing ends here, so no operation is needed that would finish the batch.
  if batch_id then count_in_batch(K.batch, batch_id, nil, nil, now, 'queued', 'running') end
else
  -- The call that is taken over was an attempt: it is written with the one that follows it.
  redis.call('SET', part_key(job, 'att'), order.att)
  redis.call('HSET', job, 'spent', order.used)
end
redis.call('HSET', job, 'st', 'running', 'sg', 'submitting', 'sb', order.token, 'sa', now, 'su', order['until'], 'tok', order.token, 'due', order['until'],
  'ver', tonumber(seen.ver or '1') + 1)
if not seen.started then redis.call('HSET', job, 'started', now) end
redis.call('ZADD', due, order['until'], order.id)
if state == 'queued' then emit(events, job, order.id, 'job.started', seen.prog or 0) end
return { 'ok', read_job(job), refusals }
