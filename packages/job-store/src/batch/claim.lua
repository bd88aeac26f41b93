#!lua
-- claim: an Idempotency-Key whose request is still being read is one request's alone.
-- KEYS 1 idempotency key
-- ARGV 1 by 2 lease in ms
-- Answers {'claimed'} | {'open'} | {'replay', id, fingerprint}
local seen = redis.call('HMGET', KEYS[1], 'id', 'fp', 'by')
if seen[1] then return { 'replay', seen[1], seen[2] } end
if seen[3] and seen[3] ~= ARGV[1] then return { 'open' } end
redis.call('HSET', KEYS[1], 'by', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { 'claimed' }
