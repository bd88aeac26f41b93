if redis.call('ZREM', K.delayed, A.id) == 1 then
  local priority = redis.call('HGET', K.entry .. A.id, 'priority')
  joinLine(A.id, tonumber(priority or 0), redis.call('INCR', K.counter))
end
return ready()
