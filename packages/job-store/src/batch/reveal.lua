-- reveal: some jobs of a committed batch enter the lists, and the room of their tenant.
-- order {id, tenant, now|nil}
-- Answers the batch's status, how many jobs that were, and the jobs that have left the room
local order = cjson.decode(A.order)
local tenant, now, entries = order.tenant, now_of(order), {}
local hidden, all_due, all_listed, queues = 0, {}, {}, {}
for n, id in ipairs(A.ids) do
  local job = K.jobs[n]
  local seen = read_state(job, 'q', 'pr', 'cr', 'exp')
  if not guard('reveal', seen, {}) then
    redis.call('HSET', job, 'st', 'queued', 'tn', 0, 'due', seen.exp)
    wait_in_room(seen.q, tenant, id, place_of(seen.pr, seen.cr))
    hidden, queues[seen.q] = hidden + 1, true
    all_due[#all_due + 1] = seen.exp
    all_due[#all_due + 1] = id
    all_listed[#all_listed + 1] = seen.cr
    all_listed[#all_listed + 1] = id
  end
end
if hidden > 0 then
  local opening = K.waiting .. ':#opening:' .. tenant
  if redis.call('HINCRBY', opening, order.id, -hidden) <= 0 then redis.call('HDEL', opening, order.id) end
  redis.call('ZADD', K.due, unpack(all_due))
  redis.call('ZADD', K.tenant_jobs, unpack(all_listed))
  count_queued(K.turns, hidden)
  local limits = account_limits()
  for _, queue in ipairs({ 'call', 'submit' }) do
    if queues[queue] then let_in(limits, queue, tenant, LET_IN, now, entries) end
  end
end
return { redis.call('HGET', K.batch, 'st'), hidden, entries }
