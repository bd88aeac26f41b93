#!lua flags=allow-oom
-- batch-cancel: from now on a batch is being canceled; its jobs are by long work. What of a retry is still to come is called off.
-- KEYS 1 batch 2 works 3 cancel work 4 work that finishes it 5 work that retries its failed jobs
-- ARGV 1 id 2 now
-- Answers the status that it has then, 'called_off' when it has ended and only a retry was to come, or nothing when there is no such batch
local st = redis.call('HGET', KEYS[1], 'st')
local called_off = redis.call('DEL', KEYS[5]) == 1
redis.call('ZREM', KEYS[2], 'batch-retry-failed:' .. ARGV[1])
if called_off and BATCH_ENDS[st] then
  redis.call('HSET', KEYS[1], 'cx', ARGV[2])
  return 'called_off'
end
if st ~= 'running' then return st end
redis.call('HSET', KEYS[1], 'st', 'canceling', 'cx', ARGV[2])
-- What is left of the cancel of an earlier round would begin in the middle.
redis.call('DEL', KEYS[3])
add_work(KEYS[3], KEYS[2], 'batch-cancel:' .. ARGV[1], 'batch-cancel', { batch_id = ARGV[1] }, ARGV[2])
-- Whoever is about to end it has read it before this: it ends as canceled, by somebody who reads it anew.
local live = redis.call('HMGET', KEYS[1], 'n:queued', 'n:running')
if tonumber(live[1] or '0') + tonumber(live[2] or '0') == 0 then
  add_work(KEYS[4], KEYS[2], 'batch-finish:' .. ARGV[1], 'batch-finish', { batch_id = ARGV[1] }, ARGV[2])
end
return 'canceling'
