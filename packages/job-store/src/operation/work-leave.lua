#!lua flags=allow-oom
-- work-leave: a slice is over, or the whole work, or a slice goes on.
-- KEYS 1 work 2 works
-- ARGV 1 id 2 by 3 due ('' when the work is over) 4 cursor 5 workers lost with it from now on; '': the slice goes on
-- Answers 1, or 0 when the work is no longer this worker's
if redis.call('HGET', KEYS[1], 'by') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('HSET', KEYS[1], 'cursor', ARGV[4])
  if ARGV[5] ~= '' then
    redis.call('HDEL', KEYS[1], 'open')
    redis.call('HSET', KEYS[1], 'lost', ARGV[5])
  end
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
end
return 1
