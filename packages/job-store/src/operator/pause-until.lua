#!lua flags=allow-oom
-- pause-until: why a queue waits for a time that is known. The later end stays; what goes on keeps the time that it began.
-- KEYS 1 pauses of the queue
-- ARGV 1 field 2 pause {since, until, …} 3 now 4 until
-- Answers 1 when no wait was under way
local text = redis.call('HGET', KEYS[1], ARGV[1])
local known = text and cjson.decode(text)
if not known or known['until'] <= tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  return 1
end
if known['until'] < tonumber(ARGV[4]) then
  local longer = cjson.decode(ARGV[2])
  longer.since = known.since
  redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(longer))
end
return 0
