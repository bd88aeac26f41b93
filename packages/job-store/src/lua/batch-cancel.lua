#!lua flags=allow-oom
-- batch-cancel: from now on a batch is being canceled; its jobs are by long work.
-- KEYS 1 batch 2 works 3 cancel work 4 work that finishes it
-- ARGV 1 id 2 now
-- Answers the status that it has then, or nothing when there is no such batch
local st = redis.call('HGET', KEYS[1], 'st')
if st ~= 'running' then return st end
redis.call('HSET', KEYS[1], 'st', 'canceling')
-- What is left of the cancel of an earlier round would begin in the middle.
redis.call('DEL', KEYS[3])
add_work(KEYS[3], KEYS[2], 'batch-cancel:' .. ARGV[1], 'batch-cancel', { batch_id = ARGV[1] }, ARGV[2])
-- Whoever is about to end it has read it before this: it ends as canceled, by somebody who reads it anew.
local live = redis.call('HMGET', KEYS[1], 'n:queued', 'n:running')
if tonumber(live[1] or '0') + tonumber(live[2] or '0') == 0 then
  add_work(KEYS[4], KEYS[2], 'batch-finish:' .. ARGV[1], 'batch-finish', { batch_id = ARGV[1] }, ARGV[2])
end
return 'canceling'
