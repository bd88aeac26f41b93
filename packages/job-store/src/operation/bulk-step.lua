#!lua flags=allow-oom
-- bulk-step: one job of a bulk action is behind it, or a piece of the counting.
-- KEYS 1 bulk action
-- ARGV 1 steps before this one 2 cursor 3 phase 4 time up to which its rate is used up 5.. counter, by
-- Answers the status of the action, or 'stale' when another worker has gone on with it
if redis.call('HGET', KEYS[1], 'n') ~= ARGV[1] then return 'stale' end
redis.call('HSET', KEYS[1], 'n', tonumber(ARGV[1]) + 1, 'cur', ARGV[2], 'phase', ARGV[3], 'credit', ARGV[4])
for i = 5, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
return redis.call('HGET', KEYS[1], 'st')
