#!lua flags=allow-oom
-- brake-note: what a call said of its model, when nobody else has written anything meanwhile.
-- KEYS 1 brakes 2 works 3 work that wakes those who wait
-- ARGV 1 state as it was read ('' none) 2 as it becomes ('' none) 3 order {now, token or nil, open (ids that are no more), wake}
-- Answers 1, or 0: it was not as it was read
local brakes, order = KEYS[1], cjson.decode(ARGV[3])
if (redis.call('HGET', brakes, 'state') or '') ~= ARGV[1] then return 0 end

if ARGV[2] == '' then
  redis.call('DEL', brakes)
else
  for _, id in ipairs(order.opened) do
    redis.call('HDEL', brakes, id .. ':at', id .. ':by', id .. ':until', id .. ':first', id .. ':first_at', id .. ':next')
  end
  if ARGV[1] ~= ARGV[2] then redis.call('HSET', brakes, 'state', ARGV[2]) end
  -- Whoever went ahead to see has seen.
  if order.token then
    for _, brake in ipairs(cjson.decode(ARGV[2]).brakes) do
      if redis.call('HGET', brakes, brake.id .. ':by') == order.token then
        redis.call('HDEL', brakes, brake.id .. ':by', brake.id .. ':until')
        redis.call('HSET', brakes, brake.id .. ':at', order.now + brake_rules.probe_ms)
      end
    end
  end
  redis.call('PEXPIRE', brakes, brake_rules.keep_ms)
end
if order.wake then add_work(KEYS[3], KEYS[2], order.wake, 'wake-braked', {}, order.now) end
return 1
