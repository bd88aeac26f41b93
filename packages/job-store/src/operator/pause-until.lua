-- pause-until: why a queue waits for a time that is known. The later end stays; what goes on keeps the time that it began.
-- Answers 1 when no wait was under way
local text = redis.call('HGET', K.pauses, A.reason)
local known = text and cjson.decode(text)
if not known or known['until'] <= tonumber(A.now) then
  redis.call('HSET', K.pauses, A.reason, A.pause)
  return 1
end
if known['until'] < tonumber(A.ends) then
  local longer = cjson.decode(A.pause)
  longer.since = known.since
  redis.call('HSET', K.pauses, A.reason, cjson.encode(longer))
end
return 0
