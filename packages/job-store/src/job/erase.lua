-- erase: an ended job with its entries in the lists and its webhooks. A pending delivery stays and is sent without the job.
-- tombstone_ms: life of the tombstone, 0: none; kept_ms: so long it is kept after its end by the time of Redis, 0: it may go at once
-- Answers 1 erased | 0 the job changed, is gone or is still kept
local seen = read_state(K.job, 'use', 'obj', 'fin')
if is_kept(seen.fin, A.kept_ms, A.now) then return 0 end
if guard('erase', seen, { step = tonumber(A.step) }) then return 0 end
delete_job(K.job)
if seen.use then count_use(K.usage, A.tenant, -tonumber(seen.use), -tonumber(seen.obj or '0'), 0) end
for _, set in ipairs({ K.due, K.ended, K.late, K.failed, K.tenant_jobs, K.tenant_failed }) do redis.call('ZREM', set, A.id) end
for i, delivery in ipairs(K.deliveries) do
  if redis.call('HGET', delivery, 'state') ~= 'pending' then
    redis.call('DEL', delivery)
    redis.call('ZREM', K.tenant_deliveries, A.delivery_ids[i])
    redis.call('ZREM', K.due_deliveries, A.delivery_ids[i])
  end
end
redis.call('HINCRBY', K.counters, 'erased', 1)
if tonumber(A.tombstone_ms) > 0 then redis.call('SET', K.tombstone, A.tenant, 'PX', A.tombstone_ms) end
return 1
