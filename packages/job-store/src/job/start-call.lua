-- start_call: takes the lease of a paid call, before a byte of it goes out, within the limits of the account.
-- order {id, token, now|nil, step, lease_ms, input_ms (more where the input is not in the record), over (the lease of a dead holder) or nil,
--      att, used (attempts that are used up with that of the dead holder), limits {max, reserve, slots, tenant, rpm} of the account}
-- Answers {'ok', record, what is known of refusals or false, jobs that were let in} | {'braked', ms, jobs that were let in} | {'stale'} |
-- {'held', record, ms} | {'unknown', record} | {'expired', record} | {'canceling', record} also of one whose batch is being canceled | {'parked'} | {'full', ms} for a call that is taken over |
-- {'wait', ms} | {'unwaited', ms, jobs that were let in} when its caller has left | {'batch', id} when the batch has to be named | {'recovering'} on a primary that has not been told what its predecessor may have
-- known | {'suspect', jobs that were let in} | {'budget', jobs that were let in} when its price does not fit into what its tenant may still spend,
-- and it is parked until it does
local order = cjson.decode(A.order)
local job, due, events, turns, minute, rpm = K.job, K.due, K.events, K.turns, K.rpm, order.limits.rpm
local now = now_of(order)
order.now = now
-- The first call of all opens the first primary.
local open = redis.call('GET', K.primary)
if not open then redis.call('SET', K.primary, PRIMARY)
elseif open ~= PRIMARY then return { 'recovering' } end
local refusals = redis.call('HGET', K.brakes, 'state')

local seen = read_state(job, 'su', 'exp', 'tn', 'started', 'prog', 'batch', 'q', 'inp', 'ver', 'seq', 'run', 'tenant', 'cr', 'pr', 'px', 'rsv', 'mdl', 'ky')
local state = seen.state
if seen.lease == order.token then
  -- Sent again by the client library. The run may have been given up meanwhile, with our token kept for a late task id.
  if state == 'running/submitting' then return { 'ok', read_job(job), refusals } end
  if state == 'canceling/submitting' then return { 'canceling', read_job(job) } end
  return { 'stale' }
end
local canceling = state == 'canceling/submitting' and seen.step == order.step
if guard('start_call', seen, order) and not canceling then return { 'stale' } end
if may_expire(state) and tonumber(seen.exp) <= now then return { 'expired', read_job(job) } end
local queue, tenant, entries = seen.q, seen.tenant, {}
local function gives_up_seat()
  leave(queue, tenant, order.id, seen.batch)
  next_in(queue, tenant, now, entries)
end
-- Its entry waits for a time of its own, and keeps nobody else waiting.
local function steps_aside(why)
  leave(queue, tenant, order.id, seen.batch)
  set_aside(queue, tenant, order.id, why, now)
  next_in(queue, tenant, now, entries)
end
-- It has no entry any more, until it is let in.
local function park()
  if guard('park', seen, order) then error('a job that may not be parked') end
  leave(queue, tenant, order.id, seen.batch)
  redis.call('HSET', job, 'tn', 0, 'step', seen.step + 1, 'ver', tonumber(seen.ver or '1') + 1, 'due', seen.exp)
  redis.call('ZADD', due, seen.exp, order.id)
end
-- Also one whose call was in flight when what stands here was saved: a restore may hold it.
if not canceling and redis.call('ZSCORE', K.suspects, order.id) then
  if state == 'queued' then steps_aside('paused:suspect') end
  return { 'suspect', entries }
end
-- For a little longer than until its answer is given up: then it is canceled.
local till = state == 'queued' and tonumber(redis.call('ZSCORE', K.unwaited, order.id) or '0') or 0
if till + 15000 > now then
  steps_aside('no_caller')
  return { 'unwaited', math.max(5000, till - now), entries }
end
if state ~= 'queued' then
  if seen.lease ~= order.over then
    local left = tonumber(seen.su) - now
    if left > 0 then return { 'held', read_job(job), left } end
    return { 'unknown', read_job(job) }
  end
  if canceling then return { 'canceling', read_job(job) } end
  -- The lost call may have come to its end after the time of its job; no other begins then.
  if tonumber(seen.exp) <= now then return { 'expired', read_job(job) } end
end

local batch_id = seen.batch ~= '' and seen.batch or nil
if batch_id and not K.batch then return { 'batch', batch_id } end
if batch_id and state == 'queued' then
  local stands = redis.call('HGET', K.batch, 'st')
  -- A failover has forgotten its commit.
  if stands == 'validating' or stands == 'discarding' then return { 'stale' } end
  -- Nothing of a batch that is being canceled begins any more, also where the cancel has not come to it yet. Who has retried it since wants it.
  if stands == 'canceling' and seen.run == '1' then return { 'canceling', read_job(job) } end
end

-- A call that is taken over was open already when its brake closed.
local ahead_of = {}
if refusals and state == 'queued' then
  local comes, free_of = braked(K.brakes, refusals, job, order)
  if comes then
    redis.call('ZADD', K.braked, now, seen.q .. ' ' .. order.id .. ' ' .. order.step)
    redis.call('PEXPIRE', K.braked, brake_rules.keep_ms)
    steps_aside('paused:upstream_refusal')
    return { 'braked', comes - now, entries }
  end
  ahead_of = free_of
end

local budget = seen.px and budget_of(K.spent, tenant, day_of(now))
if budget and budget.used + tonumber(seen.px) > budget.credits then
  if state == 'queued' then
    park()
    wait_for_budget(queue, tenant, order.id, seen.px, now)
    next_in(queue, tenant, now, entries)
  end
  return { 'budget', entries }
end

note_limits(order.limits)
asks(queue, tenant, now)
if not is_granted(order.limits, queue, tenant, order.id, now) then
  if state ~= 'queued' then return { 'full', 1000 } end
  park()
  wait_in_room(queue, tenant, order.id, place_of(seen.pr, seen.cr))
  return { 'parked' }
end
if rpm > 0 then
  local bucket = redis.call('HMGET', minute, 'left', 'at')
  local left = tonumber(bucket[1] or rpm)
  local at = tonumber(bucket[2] or now)
  left = math.min(rpm, left + math.max(0, now - at) * rpm / 60000)
  -- Where clocks differ the one that is ahead counts, else the same seconds would fill the bucket again and again. One that is ahead
  -- by more than a bucket was wrong.
  if at < now or at > now + 60000 then at = now end
  if left < 1 then
    redis.call('HSET', minute, 'left', tostring(left), 'at', at)
    return { 'wait', math.ceil((1 - left) * 60000 / rpm) }
  end
  redis.call('HSET', minute, 'left', tostring(left - 1), 'at', at)
end

order['until'] = now + order.lease_ms + (seen.inp and order.input_ms or 0)
local ends = text_of(order['until'])
go_ahead(K.brakes, ahead_of, order)
take_permit(queue, tenant, order.id, order['until'] + 60000)
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
local seq = tonumber(seen.seq or '0') + (state == 'queued' and 1 or 0)
redis.call('HSET', job, 'st', 'running', 'sg', 'submitting', 'sb', order.token, 'sa', now, 'su', ends, 'tok', order.token, 'due', ends,
  'ver', tonumber(seen.ver or '1') + 1, 'seq', seq, 'started', seen.started or now,
  unpack(reserve_cost(job, seen, batch_id and K.batch, K.spent, now)))
redis.call('ZADD', due, ends, order.id)
if state == 'queued' then
  emit(events, { id = order.id, seq = seq, type = 'job.started', progress = seen.prog or '0', status = 'running', stage = 'submitting', run = seen.run })
  leave(queue, tenant, order.id, seen.batch)
  -- Its permit is worth the seat that it leaves: there is room for another only where there are more permits than seats.
  if most_seats(order.limits, queue) == SEATS then next_in(queue, tenant, now, entries) end
end
return { 'ok', read_job(job), refusals, entries }
