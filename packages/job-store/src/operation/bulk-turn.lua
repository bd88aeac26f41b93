-- bulk-turn: a bulk action is aborted, resumed or over.
-- kept_ms: how long it is kept from now on; for ever without it
-- Answers 1, or 0 when it was not in that status
if redis.call('HGET', K.action, 'st') ~= A.from then return 0 end
redis.call('HSET', K.action, 'st', A.to)
if not A.kept_ms then
  redis.call('HDEL', K.action, 'fin')
  redis.call('PERSIST', K.action)
  redis.call('HSET', K.action, 'since', A.now, 'base', redis.call('HGET', K.action, 'c:done') or 0)
else
  redis.call('HSET', K.action, 'fin', A.now)
  redis.call('PEXPIRE', K.action, A.kept_ms)
end
return 1
