-- let-in: those who have waited longest leave the room of an endpoint, as many as there are permits, and get an entry from the
-- caller. For rooms in which nothing has happened: a worker has died, a breaker's time is over, deliver was paused.
-- like: the key of a delivery, by which theirs are made; order {now|nil, endpoint, like (id of that delivery), most, due_after}
-- Answers {id, step, …}
local order = cjson.decode(A.order)
local e = endpoint_named(order.endpoint)
local now, out = now_of(order), {}
local off = own_of(e).off
local why, check = why_not(e, now)
if off and why ~= 'paused' then why = nil end
local count = order.most
if not off and not why then
  local probes = own_of(e).till or host_of(e).till
  count = probes and 1 or math.min(count, permits_of(e) - redis.call('ZCARD', e.open))
end
if not why then
  local popped = redis.call('ZPOPMIN', e.room, count)
  for i = 1, #popped, 2 do
    local id = popped[i]
    local delivery = sibling(K.like, order.like, id)
    if redis.call('HGET', delivery, 'state') == 'pending' then
      out[#out + 1] = id
      out[#out + 1] = redis.call('HINCRBY', delivery, 'step', 1)
      redis.call('ZADD', K.due_deliveries, now + order.due_after, id)
    end
  end
end
if redis.call('EXISTS', e.room) == 0 then
  redis.call('ZREM', e.rooms, e.id)
else
  redis.call('ZADD', e.rooms, why and check or now + rules.checkAgainMs, e.id)
end
return out
