#!lua
-- batch-note: some lines of a batch that are left out.
-- KEYS 1 batch 2 its errors
-- ARGV texts
-- Answers 1, or 0 when the batch is no longer open: nothing would ever remove them
if redis.call('HGET', KEYS[1], 'st') ~= 'validating' then return 0 end
redis.call('RPUSH', KEYS[2], unpack(ARGV))
return 1
