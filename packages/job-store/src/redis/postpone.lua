#!lua flags=allow-oom
-- postpone: the entry of this step is there, so look at it again later. A job or delivery that moved on keeps its own time.
-- KEYS 1 job or delivery 2 due set
-- ARGV 1 id 2 step 3 until
if redis.call('HGET', KEYS[1], 'step') ~= ARGV[2] then return 0 end
return redis.call('ZADD', KEYS[2], 'XX', 'GT', 'CH', ARGV[3], ARGV[1])
