#!lua flags=allow-oom
-- batch-erase: some jobs of a batch that was never committed; from the first call on it takes no line and no commit.
-- KEYS 1 batch 2 usage 3.. jobs
-- Answers 1, or 0 when the batch was committed
local st = redis.call('HGET', KEYS[1], 'st')
if st ~= 'validating' and st ~= 'erasing' then return 0 end
redis.call('HSET', KEYS[1], 'st', 'erasing')
local tenant = redis.call('HGET', KEYS[1], 'tenant')
local redis_bytes, stored_bytes, live = 0, 0, 0
for i = 3, #KEYS do
  local seen = redis.call('HMGET', KEYS[i], 'st', 'use', 'obj')
  if seen[1] == 'validating' then
    redis.call('DEL', KEYS[i])
    if seen[2] then
      redis_bytes = redis_bytes - tonumber(seen[2])
      stored_bytes = stored_bytes - tonumber(seen[3] or '0')
      live = live - 1
    end
  end
end
count_use(KEYS[2], tenant, redis_bytes, stored_bytes, live)
return 1
