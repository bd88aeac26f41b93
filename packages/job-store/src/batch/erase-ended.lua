-- erase-ended: an ended batch with its entries in the lists and its deliveries. Pending ones stay and are sent without the batch.
-- kept_ms: so long it is kept after its end by the time of Redis, 0: it may go at once
-- Answers 1, or 0 when the batch goes on, is gone or is still kept
local seen = redis.call('HMGET', K.batch, 'st', 'round', 'fin', 'tenant')
if is_kept(seen[3], A.kept_ms, A.now) then return 0 end
if not seen[1] or not is_batch_end(seen[1]) or seen[2] ~= A.round then return 0 end
redis.call('DEL', K.batch, K.job_ids, K.errors)
for rank = 0, 2 do redis.call('DEL', lines_of_member('call', A.id .. ' ' .. rank), lines_of_member('submit', A.id .. ' ' .. rank)) end
redis.call('HDEL', K.waiting .. ':#lines:' .. seen[4], A.id)
redis.call('ZREM', K.tenant_batches, A.id)
redis.call('ZREM', K.ended_batches, A.id)
for i, delivery in ipairs(K.deliveries) do
  if redis.call('HGET', delivery, 'state') ~= 'pending' then
    redis.call('DEL', delivery)
    redis.call('ZREM', K.tenant_deliveries, A.delivery_ids[i])
    redis.call('ZREM', K.due_deliveries, A.delivery_ids[i])
  end
end
return 1
