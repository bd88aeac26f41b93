-- learn: durations of tasks of one kind that ended well. What was known before weighs less by each of them.
-- Answers 1, or 0 when there are too many kinds already. A bucket whose weight has gone is removed.
local kind, now, life = A.kind, tonumber(A.now), tonumber(A.life_ms)
redis.call('ZREMRANGEBYSCORE', K.kinds, '-inf', now - life)
if not redis.call('ZSCORE', K.kinds, kind) and redis.call('ZCARD', K.kinds) >= tonumber(A.most_kinds) then return 0 end

local counted, tasks = {}, 0
for i = 1, #A.counts, 2 do
  counted[A.counts[i]] = tonumber(A.counts[i + 1])
  tasks = tasks + tonumber(A.counts[i + 1])
end
local keep = tonumber(A.decay) ^ tasks
-- Equal to learning them one by one, averaged over all orders.
local share = (1 - keep) / (1 - tonumber(A.decay)) / tasks
local known = redis.call('HGETALL', K.pace)
for i = 1, #known, 2 do
  local bucket = known[i]
  if bucket ~= 'n' then
    local weight = tonumber(known[i + 1]) * keep + (counted[bucket] or 0) * share
    counted[bucket] = nil
    if weight < 0.001 then
      redis.call('HDEL', K.pace, bucket)
    else
      redis.call('HSET', K.pace, bucket, string.format('%.4f', weight))
    end
  end
end
for bucket, count in pairs(counted) do redis.call('HSET', K.pace, bucket, string.format('%.4f', count * share)) end
redis.call('HINCRBY', K.pace, 'n', tasks)
redis.call('PEXPIRE', K.pace, life)
redis.call('ZADD', K.kinds, now, kind)
return 1
