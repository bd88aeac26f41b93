#!lua flags=allow-oom
-- unclaim: the request came to nothing, so its key is free again; or with a lease in ms: it is still being read.
-- KEYS 1 idempotency key
-- ARGV 1 by 2 lease in ms, 0 frees it
-- Answers 1, or 0 when the key is not this request's
if redis.call('HGET', KEYS[1], 'by') ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) > 0 then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('DEL', KEYS[1])
