#!lua flags=allow-oom
-- revoke: a key is gone and everybody hears of it, on a full Redis too. Its tenant is remembered.
-- KEYS 1 key 2 keys by id 3 tenants 4 when keys were used
-- ARGV 1 id 2 tenant 3 channel
-- Answers 1, or 0 when it was gone before
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[1])
return redis.call('DEL', KEYS[1])
