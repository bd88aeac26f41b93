#!lua
-- batch-add: some lines of a batch become records that nobody sees yet.
-- KEYS 1 batch 2 ids of its jobs 3 works 4 usage 5.. jobs
-- ARGV 1 order {id, from, last, erase_at, shared [field, value …], own [field …],
--      tenant, use, limits, room (see refusal_of)}
--      2.. for each job: its id, the values of `own` ('' is left out)
-- Answers 1, or 0 when the batch is no longer open, or why its lines are not taken (see refusal_of)
local order = cjson.decode(ARGV[1])
local batch, list = KEYS[1], KEYS[2]
if redis.call('HGET', batch, 'st') ~= 'validating' then return 0 end
local known = redis.call('LLEN', list)
-- Sent again by the client library.
if known == order.from + #KEYS - 4 then return 1 end
if known ~= order.from then return 0 end
local refused = refusal_of(KEYS[4], order)
if refused then return refused end
count_use(KEYS[4], order.tenant, order.use.redis, order.use.stored, #KEYS - 4)

local fields, own = order.shared, order.own
local shared = #fields
local at = 2
local ids = {}
for i = 5, #KEYS do
  ids[#ids + 1] = ARGV[at]
  local n = shared
  for j = 1, #own do
    local value = ARGV[at + j]
    if value ~= '' then
      fields[n + 1] = own[j]
      fields[n + 2] = value
      n = n + 2
    end
  end
  redis.call('HSET', KEYS[i], unpack(fields, 1, n))
  at = at + 1 + #own
end
redis.call('RPUSH', list, unpack(ids))
redis.call('HSET', batch, 'last', order.last)
redis.call('ZADD', KEYS[3], 'XX', order.erase_at, 'batch-erase:' .. order.id)
return 1
