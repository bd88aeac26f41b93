#!lua
-- batch-add: some lines of a batch become records that nobody sees yet.
-- KEYS 1 batch 2 ids of its jobs 3 works 4.. jobs
-- ARGV 1 order {id, from, last, erase_at} 2.. for each job: its id, the number of arguments that follow, field, value …
-- Answers 1, or 0 when the batch is no longer open
local order = cjson.decode(ARGV[1])
local batch, list = KEYS[1], KEYS[2]
if redis.call('HGET', batch, 'st') ~= 'validating' then return 0 end
local known = redis.call('LLEN', list)
-- Sent again by the client library.
if known == order.from + #KEYS - 3 then return 1 end
if known ~= order.from then return 0 end

local at = 2
local ids = {}
for i = 4, #KEYS do
  ids[#ids + 1] = ARGV[at]
  local n = tonumber(ARGV[at + 1])
  local fields = {}
  for j = 1, n do fields[j] = ARGV[at + 1 + j] end
  redis.call('HSET', KEYS[i], unpack(fields))
  at = at + 2 + n
end
redis.call('RPUSH', list, unpack(ids))
redis.call('HSET', batch, 'last', order.last)
redis.call('ZADD', KEYS[3], 'XX', order.erase_at, 'batch-erase:' .. order.id)
return 1
