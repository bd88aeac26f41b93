-- The queue waits, and the entry goes in front of its like. A longer limit stays.
if redis.call('PTTL', K.limiter) < tonumber(A.ms) then redis.call('SET', K.limiter, '1', 'PX', A.ms) end
local refused = release(A.id, A.token)
if refused < 0 then return refused end
local priority = tonumber(redis.call('HGET', K.entry .. A.id, 'priority') or 0)
if priority == 0 then
  joinFront(A.id)
else
  joinLine(A.id, priority, 0)
end
return { '', math.max(0, redis.call('PTTL', K.limiter)), nextDue(), ready() }
