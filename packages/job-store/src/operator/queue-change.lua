#!lua flags=allow-oom
-- queue-change: what an operator sets for a queue. A few short fields, so a full Redis takes them: that is when they are needed.
-- KEYS 1 pauses of the queue 2 concurrency of the queues
-- ARGV 1 queue 2 channel 3 pause ('-' takes it back, '' leaves it) 4 concurrency ('-' as configured, '' leaves it)
if ARGV[3] == '-' then
  redis.call('HDEL', KEYS[1], 'operator')
elseif ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'operator', ARGV[3])
end
if ARGV[4] == '-' then
  redis.call('HDEL', KEYS[2], ARGV[1])
elseif ARGV[4] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
end
redis.call('PUBLISH', ARGV[2], ARGV[1])
return 1
