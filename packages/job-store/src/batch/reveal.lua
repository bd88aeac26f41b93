-- reveal: some jobs of a committed batch get their turns and enter the lists.
-- order {due, tenant}
-- Answers the batch's status, and for each job its turn, queue and priority when it still has to get its first entry, else an empty list
local order = cjson.decode(A.order)
local due, turns, list = K.due, K.turns, K.tenant_jobs
local rows, hidden, all_due, all_listed = {}, {}, {}, {}
for n, id in ipairs(A.ids) do
  local job = K.jobs[n]
  local seen = read_state(job, 'tn', 'q', 'pr', 'cr')
  rows[n] = {}
  if not guard('reveal', seen, {}) then
    rows[n] = { '', seen.q, seen.pr or 'normal' }
    hidden[#hidden + 1] = n
    all_due[#all_due + 1] = order.due
    all_due[#all_due + 1] = id
    all_listed[#all_listed + 1] = seen.cr
    all_listed[#all_listed + 1] = id
  elseif seen.state == 'queued' and seen.step == 1 then
    -- The worker that revealed it died before it added the entry, or lost the answer.
    rows[n] = { seen.tn, seen.q, seen.pr or 'normal' }
  end
end
if #hidden > 0 then
  local first = next_turns(turns, order.tenant, #hidden)
  for i, n in ipairs(hidden) do
    local turn = tostring(math.min(first + i - 1, MAX_PRIORITY))
    redis.call('HSET', K.jobs[n], 'st', 'queued', 'tn', turn, 'due', order.due)
    rows[n][1] = turn
  end
  redis.call('ZADD', due, unpack(all_due))
  redis.call('ZADD', list, unpack(all_listed))
  count_queued(turns, #hidden)
end
return { redis.call('HGET', K.batch, 'st'), rows }
