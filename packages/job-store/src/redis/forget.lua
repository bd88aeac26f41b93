#!lua flags=allow-oom
-- forget: an id leaves a set in which its record has no place. One that has moved on since it was read keeps the place that it has got.
-- KEYS 1 job or delivery 2 set
-- ARGV 1 id 2 step as it was read ('' when there was no record)
-- Answers 1, or 0 when it stays
if (redis.call('HGET', KEYS[1], 'step') or '') ~= ARGV[2] then return 0 end
return redis.call('ZREM', KEYS[2], ARGV[1])
