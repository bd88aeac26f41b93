-- A delivery is made and entered in the lists. Its maker begins its attempt, puts it into a room, or has it wait for its entry.
-- `more`: further fields, field and value. delivery {id, tenant, job_id or batch_id, run, type, url, due_after}. Answers whether it is new.
local function make_delivery(delivery, now, more)
  if redis.call('EXISTS', K.delivery) == 1 then return false end
  now = text_of(now)
  local subject = delivery.job_id and 'job_id' or 'batch_id'
  redis.call('HSET', K.delivery, 'id', delivery.id, 'tenant', delivery.tenant, subject, delivery[subject], 'run', delivery.run, 'type', delivery.type,
    'url', delivery.url, 'state', 'pending', 'step', '1', 'made', '0', 'created', now, 'next', now, unpack(more or {}))
  redis.call('ZADD', K.tenant_deliveries, now, delivery.id)
  redis.call('ZADD', K.pending_deliveries, now, delivery.id)
  return true
end

-- It is due soon should nobody attempt it.
local function await_entry(delivery, now)
  redis.call('ZADD', K.due_deliveries, now + delivery.due_after, delivery.id)
end
