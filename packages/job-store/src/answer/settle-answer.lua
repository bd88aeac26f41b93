-- settle-answer: an answer is held no more: it was delivered, its caller has left, or it was never made. Answers 1 when it was held.
-- how 'shown': it is held still, and some of its stream was written; 'made': and all of its jobs were made.
if A.how == 'shown' or A.how == 'made' then
  if redis.call('EXISTS', K.answer) == 0 then return 1 end
  if A.how == 'made' then redis.call('HSET', K.answer, 'made', 1) else redis.call('HSET', K.answer, 'text', 1) end
  return 1
end
local now = now_of({ now = tonumber(A.now or '') })
redis.call('SREM', A.held .. (redis.call('HGET', K.answer, 'by') or ''), A.id)
local found = redis.call('HMGET', K.answer, 'index', 'leaves', 'delivered', 'left', 'claimed', 'jobs')
-- Its process counted as gone for a while, and has written it all the same.
if found[4] and not found[5] and A.how == 'delivered' then
  redis.call('HDEL', K.answer, 'left')
  redis.call('ZREM', K.leaving, A.id)
  somebody_waits(found[6])
  found[4] = nil
end
if not found[1] or found[3] or found[4] then return 0 end
if A.how == 'dropped' then
  redis.call('DEL', K.answer)
  redis.call('ZREM', found[1], A.id)
  return 1
end
if A.text == '1' then redis.call('HSET', K.answer, 'text', 1) end
if A.how == 'delivered' then
  redis.call('HSET', K.answer, 'delivered', now)
  -- Of an index with many answers the newest says how long it stays.
  redis.call('PEXPIRE', K.answer, A.after_ms)
  -- One that was claimed stands there no more.
  redis.call('ZADD', found[1], 'XX', now + tonumber(A.after_ms), A.id)
  local last = redis.call('ZRANGE', found[1], -1, -1, 'WITHSCORES')[2]
  if last then redis.call('PEXPIREAT', found[1], string.format('%.0f', tonumber(last))) end
else
  redis.call('HSET', K.answer, 'left', now)
  -- Of one that was claimed another waits for the jobs.
  if found[2] == '1' and not found[5] then
    local till = now + tonumber(A.text == '1' and A.shown_ms or A.unshown_ms)
    redis.call('ZADD', K.leaving, till, A.id)
    nobody_waits(found[6], till)
  end
end
return 1
