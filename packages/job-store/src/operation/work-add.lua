#!lua flags=allow-oom
-- work-add: long work is written down once.
-- KEYS 1 work 2 works
-- ARGV 1 id 2 kind 3 order 4 due 5 '1': whoever has it at this moment must not end it
-- Answers 1, or 0 when it is there already
if redis.call('HSETNX', KEYS[1], 'kind', ARGV[2]) == 0 then
  if ARGV[5] == '1' then
    redis.call('HDEL', KEYS[1], 'by', 'open')
    redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
  end
  return 0
end
redis.call('HSET', KEYS[1], 'order', ARGV[3], 'created', ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return 1
