#!lua
-- learn: durations of tasks of one kind that ended well. What was known before weighs less by each of them.
-- KEYS 1 histogram of the kind 2 kinds
-- ARGV 1 kind 2 now 3 ms that a kind is kept 4 most kinds 5 weight that is kept by one task 6.. bucket, count
-- Answers 1, or 0 when there are too many kinds already. A bucket whose weight has gone is removed.
local kind, now, life = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - life)
if not redis.call('ZSCORE', KEYS[2], kind) and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then return 0 end

local counted, tasks = {}, 0
for i = 6, #ARGV, 2 do
  counted[ARGV[i]] = tonumber(ARGV[i + 1])
  tasks = tasks + tonumber(ARGV[i + 1])
end
local keep = tonumber(ARGV[5]) ^ tasks
-- As if the tasks had been told one by one, in an order that nobody knows.
local share = (1 - keep) / (1 - tonumber(ARGV[5])) / tasks
local known = redis.call('HGETALL', KEYS[1])
for i = 1, #known, 2 do
  local bucket = known[i]
  if bucket ~= 'n' then
    local weight = tonumber(known[i + 1]) * keep + (counted[bucket] or 0) * share
    counted[bucket] = nil
    if weight < 0.001 then
      redis.call('HDEL', KEYS[1], bucket)
    else
      redis.call('HSET', KEYS[1], bucket, string.format('%.4f', weight))
    end
  end
end
for bucket, count in pairs(counted) do redis.call('HSET', KEYS[1], bucket, string.format('%.4f', count * share)) end
redis.call('HINCRBY', KEYS[1], 'n', tasks)
redis.call('PEXPIRE', KEYS[1], life)
redis.call('ZADD', KEYS[2], now, kind)
return 1
