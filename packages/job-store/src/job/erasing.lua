#!lua flags=allow-oom
-- erasing: an ended job whose objects are about to be deleted; from now on nothing reopens it.
-- KEYS 1 job 2 late
-- ARGV 1 id 2 step
-- Answers 1, or 0 when the job moved on or is gone
local seen = redis.call('HMGET', KEYS[1], 'st', 'step')
if not seen[1] or not TERMINAL[seen[1]] or seen[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'era', 1)
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
