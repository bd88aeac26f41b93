-- Entries whose lock is over go to the front. One process looks in each `stalledMs`.
if redis.call('EXISTS', K.check) == 1 then return 0 end
redis.call('SET', K.check, '1', 'PX', A.stalledMs)
local stalled = redis.call('ZRANGE', K.active, 0, redisTime(), 'BYSCORE')
for _, id in ipairs(stalled) do
  redis.call('ZREM', K.active, id)
  redis.call('HINCRBY', K.entry .. id, 'stalled', 1)
  joinFront(id)
end
return math.min(#stalled, ready())
