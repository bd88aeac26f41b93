-- let-in: what nothing else lets in: a permit was lost in a crash, fewer tenants ask, or a limit was raised.
-- order {queue, most (tenants that are seen to), now|nil, limits of the account as start_call has them, or nil}
-- Answers the jobs that have left their rooms
local order = cjson.decode(A.order)
local now, entries = now_of(order), {}
local tenants = redis.call('ZRANGE', K.waiting .. ':' .. order.queue, 0, order.most - 1)
redis.call('ZREMRANGEBYSCORE', K.waiting .. ':' .. order.queue .. ':#asking', '-inf', now)
if order.limits then note_limits(order.limits) end
local limits = account_limits()
for _, tenant in ipairs(tenants) do
  expire_permits(tenant, now)
  asks(order.queue, tenant, now)
end
for _, tenant in ipairs(tenants) do
  if #entries < LET_IN then let_in(limits, order.queue, tenant, LET_IN - #entries, now, entries) end
end
return entries
