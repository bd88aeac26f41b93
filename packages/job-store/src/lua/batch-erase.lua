#!lua flags=allow-oom
-- batch-erase: some jobs of a batch that was never committed; from the first call on it takes no line and no commit.
-- KEYS 1 batch 2.. jobs
-- Answers 1, or 0 when the batch was committed
local st = redis.call('HGET', KEYS[1], 'st')
if st ~= 'validating' and st ~= 'erasing' then return 0 end
redis.call('HSET', KEYS[1], 'st', 'erasing')
for i = 2, #KEYS do
  if redis.call('HGET', KEYS[i], 'st') == 'validating' then redis.call('DEL', KEYS[i]) end
end
return 1
