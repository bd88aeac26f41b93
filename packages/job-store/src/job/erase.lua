#!lua flags=allow-oom
-- erase: an ended job with its places in the lists and its webhooks. What is still owed stays and is sent without the job.
-- KEYS 1 job 2 due 3 ended 4 late 5 failed 6 tenant's jobs 7 tenant's failed 8 tenant's deliveries 9 due deliveries 10 counters
--      11 tombstone (the job key again when there is none) 12 usage 13.. deliveries
-- ARGV 1 id 2 step 3 tenant 4 life of the tombstone in ms (0: none) 5.. ids of the deliveries
-- Answers 1 erased | 0 the job moved on or is gone
local job, id = KEYS[1], ARGV[1]
local seen = redis.call('HMGET', job, 'st', 'step', 'use', 'obj')
if not seen[1] or not TERMINAL[seen[1]] or seen[2] ~= ARGV[2] then return 0 end
redis.call('DEL', job)
if seen[3] then count_use(KEYS[12], ARGV[3], -tonumber(seen[3]), -tonumber(seen[4] or '0'), 0) end
for i = 2, 7 do redis.call('ZREM', KEYS[i], id) end
for i = 13, #KEYS do
  if redis.call('HGET', KEYS[i], 'state') ~= 'pending' then
    redis.call('DEL', KEYS[i])
    redis.call('ZREM', KEYS[8], ARGV[i - 8])
    redis.call('ZREM', KEYS[9], ARGV[i - 8])
  end
end
redis.call('HINCRBY', KEYS[10], 'erased', 1)
if tonumber(ARGV[4]) > 0 then redis.call('SET', KEYS[11], ARGV[3], 'PX', ARGV[4]) end
return 1
