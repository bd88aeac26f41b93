-- set-limits: all that an operator has set for a tenant, on a full Redis too.
-- text: as JSON; name: of the tenant; max_in_flight, and credits and period of its budget, '' where it has none: these stand where the scripts
-- that start calls find them
redis.call('HSET', K.tenant, 'limits', A.text)
if A.max_in_flight == '' then redis.call('HDEL', K.in_flight, A.name)
else redis.call('HSET', K.in_flight, A.name, A.max_in_flight) end
if A.credits == '' then
  redis.call('HDEL', K.spent, 'budget ' .. A.name, 'period ' .. A.name)
else
  redis.call('HSET', K.spent, 'budget ' .. A.name, A.credits, 'period ' .. A.name, A.period)
end
