-- leave: nobody came back for an answer, so nobody can claim it any more. Answers, for each, its id and those of its jobs. Whoever cancels them may
-- die before that: until they are said to be canceled they come again.
-- While no process of the API lives nobody can come back: then it waits for another while. A process that died is forgotten, and its
-- answers wait from now on.
local now = now_of({ now = tonumber(A.now or '') })
for _, process in ipairs(redis.call('ZRANGE', K.processes, '-inf', now - tonumber(A.dead_ms), 'BYSCORE', 'LIMIT', 0, 10)) do
  local held = A.held .. process
  for _, id in ipairs(redis.call('SPOP', held, 100)) do
    local found = redis.call('HMGET', A.answer .. id, 'delivered', 'left', 'leaves', 'claimed', 'jobs')
    if not found[1] and not found[2] and found[3] then
      redis.call('HSET', A.answer .. id, 'left', now)
      -- Of one that was claimed another waits for the jobs.
      if found[3] == '1' and not found[4] then
        local till = now + tonumber(A.unshown_ms)
        redis.call('ZADD', K.leaving, till, id)
        nobody_waits(found[5], till)
      end
    end
  end
  if redis.call('EXISTS', held) == 0 then redis.call('ZREM', K.processes, process) end
end
local served = redis.call('ZCOUNT', K.processes, now - tonumber(A.dead_ms), '+inf') > 0
local gone = {}
for _, id in ipairs(redis.call('ZRANGE', K.leaving, '-inf', now, 'BYSCORE', 'LIMIT', 0, 100)) do
  if served then
    local found = redis.call('HMGET', A.answer .. id, 'jobs', 'index')
    if found[1] then
      redis.call('HSET', A.answer .. id, 'claimed', 'left')
      redis.call('ZREM', found[2], id)
      gone[#gone + 1] = { id, found[1] }
      local till = now + tonumber(A.again_ms)
      redis.call('ZADD', K.leaving, till, id)
      nobody_waits(found[1], till)
    else
      redis.call('ZREM', K.leaving, id)
    end
  else
    local till = now + tonumber(A.unshown_ms)
    redis.call('ZADD', K.leaving, till, id)
    nobody_waits(redis.call('HGET', A.answer .. id, 'jobs') or '', till)
  end
end
redis.call('ZREMRANGEBYSCORE', K.unwaited, '-inf', now - 60000)
return gone
