-- report: what a live job has come to becomes a delivery of its own, with the job as it is now. Not of a job that has ended or is in another run.
-- order {now|nil, every|nil (ms between two of this kind), delivery (see make_delivery)}; delivery_before: its key as a release before named it
-- Answers 1 there is one to be sent | 0
local order = cjson.decode(A.order)
local job, delivery, now = K.job, K.delivery, now_of(order)
local known = redis.call('HMGET', delivery, 'state', 'step')
if known[1] then return known[1] == 'pending' and known[2] == '1' and 1 or 0 end
if redis.call('EXISTS', K.delivery_before) == 1 then return 0 end
local seen = redis.call('HMGET', job, 'st', 'sg', 'run', 'seq', 'prog', 'whp')
if not seen[1] or is_terminal(seen[1]) or tonumber(seen[3]) ~= order.delivery.run then return 0 end
if order.every then
  if seen[6] and now - tonumber(seen[6]) < order.every then return 0 end
  redis.call('HSET', job, 'whp', now)
end
make_delivery(order.delivery, now, { 'seq', seen[4] or 0, 'as', seen[1], 'asg', seen[2] or '', 'aprog', seen[5] or 0 })
await_entry(order.delivery, now)
return 1
