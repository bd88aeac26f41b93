#!lua
-- batch-open: a batch whose lines are coming in. Nobody sees it; what is not committed in time is erased.
-- KEYS 1 batch 2 works 3 erase work
-- ARGV 1 id 2 time of the erasing 3.. field, value
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
local fields = {}
for i = 3, #ARGV do fields[i - 2] = ARGV[i] end
redis.call('HSET', KEYS[1], 'st', 'validating', unpack(fields))
add_work(KEYS[3], KEYS[2], 'batch-erase:' .. ARGV[1], 'batch-erase', { batch_id = ARGV[1] }, ARGV[2])
return 1
