#!lua flags=allow-oom
-- batch-forget: an ended batch with its places in the lists and its webhooks. What is still owed stays and is sent without the batch.
-- KEYS 1 batch 2 ids of its jobs 3 its errors 4 tenant's batches 5 ended batches 6 tenant's deliveries 7 due deliveries 8.. deliveries
-- ARGV 1 id 2 round 3.. ids of the deliveries
-- Answers 1, or 0 when the batch goes on or is gone
local seen = redis.call('HMGET', KEYS[1], 'st', 'round')
if not seen[1] or not BATCH_ENDS[seen[1]] or seen[2] ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
for i = 8, #KEYS do
  if redis.call('HGET', KEYS[i], 'state') ~= 'pending' then
    redis.call('DEL', KEYS[i])
    redis.call('ZREM', KEYS[6], ARGV[i - 5])
    redis.call('ZREM', KEYS[7], ARGV[i - 5])
  end
end
return 1
