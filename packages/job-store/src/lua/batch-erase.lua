#!lua flags=allow-oom
-- batch-erase: some jobs of a batch that was never committed.
-- KEYS 1 batch 2.. jobs
-- Answers 1, or 0 when the batch was committed
if redis.call('HGET', KEYS[1], 'st') ~= 'validating' then return 0 end
for i = 2, #KEYS do
  if redis.call('HGET', KEYS[i], 'st') == 'validating' then redis.call('DEL', KEYS[i]) end
end
return 1
