#!lua flags=allow-oom
-- keep-task: the id of a task that was paid for by a call whose run has ended meanwhile. The holder of the call writes it;
-- the late sweep looks at the task.
-- KEYS 1 job 2 late
-- ARGV 1 id 2 token 3 base 4 task 5 submitted 6 first look
if redis.call('HGET', KEYS[1], 'sb') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'base', ARGV[3], 'task', ARGV[4], 'sub', ARGV[5])
if redis.call('HGET', KEYS[1], 'st') ~= 'canceled' then redis.call('ZADD', KEYS[2], ARGV[6], ARGV[1]) end
return 1
