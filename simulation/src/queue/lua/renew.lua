-- Ids and tokens in turn. Answers the ids whose lock is another's or over.
local now = redisTime()
local lost = {}
for i = 1, #A.held, 2 do
  local id, token = A.held[i], A.held[i + 1]
  local ends = redis.call('ZSCORE', K.active, id)
  if ends and tonumber(ends) > now and redis.call('HGET', K.entry .. id, 'token') == token then
    redis.call('ZADD', K.active, now + tonumber(A.lockMs), id)
  else
    lost[#lost + 1] = id
  end
end
return lost
