-- brake-note: what a call said of its model, when nobody else has written anything meanwhile.
-- Answers 1, or 0: it was not as it was read
-- before, after: the state as it was read and as it becomes; order {now, token or nil, opened (ids that are no more), wake}
local brakes, order = K.brakes, cjson.decode(A.order)
if redis.call('HGET', brakes, 'state') ~= (A.before or false) then return 0 end

if not A.after then
  redis.call('DEL', brakes)
else
  for _, id in ipairs(order.opened) do
    redis.call('HDEL', brakes, id .. ':at', id .. ':by', id .. ':until', id .. ':first', id .. ':first_at', id .. ':next')
  end
  if A.before ~= A.after then redis.call('HSET', brakes, 'state', A.after) end
  -- Whoever went ahead to see has seen.
  if order.token then
    for _, brake in ipairs(cjson.decode(A.after).brakes) do
      if redis.call('HGET', brakes, brake.id .. ':by') == order.token then
        redis.call('HDEL', brakes, brake.id .. ':by', brake.id .. ':until')
        redis.call('HSET', brakes, brake.id .. ':at', order.now + brake_rules.probe_ms)
      end
    end
  end
  redis.call('PEXPIRE', brakes, brake_rules.keep_ms)
end
if order.wake then
  add_operation(K.wake, K.operations, order.wake, 'wake-braked', {}, order.now)
  -- Where it is under way for another brake it begins again, with those that wait by now.
  redis.call('HDEL', K.wake, 'cursor')
end
return 1
