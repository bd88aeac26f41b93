-- cancel: from now on a batch is being canceled, and none of its lines is let in; an operation cancels its jobs. What of a retry is still to come is called off.
-- Answers the status that it has then, 'called_off' when it has ended and only a retry was to come, or it was canceled before (its caller sends
-- the cancel again), or nothing when there is no such batch
local st = redis.call('HGET', K.batch, 'st')
local called_off = redis.call('EXISTS', K.retry) == 1
-- A worker that is in the middle of it takes back what it has reopened; should it die, another does.
if redis.call('HEXISTS', K.retry, 'open') == 0 then
  redis.call('DEL', K.retry)
  redis.call('ZREM', K.operations, 'batch-retry-failed:' .. A.id)
end
if is_batch_end(st) and (called_off or redis.call('HEXISTS', K.batch, 'cx') == 1) then
  redis.call('HSET', K.batch, 'cx', A.now)
  return 'called_off'
end
if st ~= 'running' then return st end
redis.call('HSET', K.batch, 'st', 'canceling', 'cx', A.now)
local tenant = redis.call('HGET', K.batch, 'tenant')
for _, queue in ipairs({ 'call', 'submit' }) do
  for rank = 0, 2 do redis.call('ZREM', room_key(queue, tenant) .. ':batches', A.id .. ' ' .. rank) end
  forget_if_empty(queue, tenant)
end
-- What is left of the cancel of an earlier round would begin in the middle.
redis.call('DEL', K.cancel)
add_operation(K.cancel, K.operations, 'batch-cancel:' .. A.id, 'batch-cancel', { batch_id = A.id }, A.now)
-- Whoever is about to end it has read it before this: it ends as canceled, by somebody who reads it anew.
local live = redis.call('HMGET', K.batch, 'n:queued', 'n:running')
if tonumber(live[1] or '0') + tonumber(live[2] or '0') == 0 then
  add_operation(K.finish, K.operations, 'batch-finish:' .. A.id, 'batch-finish', { batch_id = A.id }, A.now)
end
return 'canceling'
