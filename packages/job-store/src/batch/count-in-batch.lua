local function is_batch_end(status)
  return status == 'completed' or status == 'canceled' or status == 'expired'
end

-- A job of a batch changes its status. The counts always add up; the last job that ends has the batch finished, and a
-- job that is reopened reopens its batch.
local function count_in_batch(batch, id, operations, finish, now, from, to)
  if from == 'canceling' then from = 'running' end
  if to == 'canceling' then to = 'running' end
  local st = redis.call('HGET', batch, 'st')
  if from == to or not st then return end
  redis.call('HINCRBY', batch, 'n:' .. from, -1)
  redis.call('HINCRBY', batch, 'n:' .. to, 1)
  if is_batch_end(st) and not is_terminal(to) then
    redis.call('HSET', batch, 'st', 'running')
    redis.call('HINCRBY', batch, 'round', 1)
    redis.call('HDEL', batch, 'fin', 'res')
  elseif is_terminal(to) then
    local live = redis.call('HMGET', batch, 'n:queued', 'n:running')
    if tonumber(live[1] or '0') + tonumber(live[2] or '0') == 0 then
      add_operation(finish, operations, 'batch-finish:' .. id, 'batch-finish', { batch_id = id }, now)
    end
  end
end
