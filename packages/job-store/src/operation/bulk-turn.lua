#!lua flags=allow-oom
-- bulk-turn: a bulk action is aborted, resumed or over.
-- KEYS 1 bulk action
-- ARGV 1 from 2 to 3 now 4 how long it is kept then, in ms ('' for ever)
-- Answers 1, or 0 when it was not in that status
if redis.call('HGET', KEYS[1], 'st') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'st', ARGV[2])
if ARGV[4] == '' then
  redis.call('HDEL', KEYS[1], 'fin')
  redis.call('PERSIST', KEYS[1])
  redis.call('HSET', KEYS[1], 'since', ARGV[3], 'base', redis.call('HGET', KEYS[1], 'c:done') or 0)
else
  redis.call('HSET', KEYS[1], 'fin', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
