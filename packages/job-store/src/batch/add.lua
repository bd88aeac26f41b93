-- add: some lines of a batch become records, which nobody sees before the batch is committed.
-- order {id, from, last, discard_at, shared [field, value …], own [field …], tenant, use, limits, room (see refusal_of),
--      runs [queue, rank, lines …] (where they are to wait, in their order)}
-- values: for each job its id, its request and the values of `own` ('' is left out)
-- Answers 1, or 0 when the batch is no longer open, or why its lines are not taken (see refusal_of)
local order = cjson.decode(A.order)
local batch, list = K.batch, K.job_ids
if redis.call('HGET', batch, 'st') ~= 'validating' then return 0 end
local known = redis.call('LLEN', list)
-- Sent again by the client library.
if known == order.from + #K.jobs then return 1 end
if known ~= order.from then return 0 end
-- One command for all: each of them takes two microseconds to be asked alone.
if redis.call('EXISTS', unpack(K.jobs)) > 0 then
  for _, job in ipairs(K.jobs) do
    if guard('stage_line', read_state(job), {}) then return redis.error_reply('ERR the id of a line is known already') end
  end
end
local refused = refusal_of(K.usage, K.spent, order)
if refused then return refused end
count_use(K.usage, order.tenant, order.use.redis, order.use.stored, #K.jobs)

local fields, own = order.shared, order.own
local shared = #fields
local values, at = A.values, 1
local ids = {}
for _, job in ipairs(K.jobs) do
  ids[#ids + 1] = values[at]
  local n = shared
  for j = 1, #own do
    local value = values[at + 1 + j]
    if value ~= '' then
      fields[n + 1] = own[j]
      fields[n + 2] = value
      n = n + 2
    end
  end
  redis.call('SET', part_key(job, 'doc'), values[at + 1])
  redis.call('HSET', job, unpack(fields, 1, n))
  at = at + 2 + #own
end
redis.call('RPUSH', list, unpack(ids))
local first = 1
for i = 1, #order.runs, 3 do
  local last = first + order.runs[i + 2] - 1
  redis.call('RPUSH', batch .. ':lines:' .. order.runs[i] .. ':' .. order.runs[i + 1], unpack(ids, first, last))
  first = last + 1
end
redis.call('HSET', batch, 'last', order.last)
redis.call('ZADD', K.operations, 'XX', order.discard_at, 'batch-discard:' .. order.id)
return 1
