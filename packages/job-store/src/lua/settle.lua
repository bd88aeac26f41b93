#!lua flags=allow-oom
-- settle: what a webhook try came to. A delivery that is over leaves the due set.
-- KEYS 1 delivery 2 job 3 due deliveries 4 counters
-- ARGV 1 order {id, token, step, state, due|nil, next|nil, counter|nil, up} 2.. field, value
-- Answers {'ok', step} | {'stale'} | {'missing'}
local order = cjson.decode(ARGV[1])
local delivery, job = KEYS[1], KEYS[2]
local seen = redis.call('HMGET', delivery, 'step', 'tok')
if not seen[1] then return { 'missing' } end
if seen[2] == order.token then return { 'ok', tonumber(seen[1]) } end
if tonumber(seen[1]) ~= order.step then return { 'stale' } end

local fields = {}
for i = 2, #ARGV do fields[i - 1] = ARGV[i] end
if #fields > 0 then redis.call('HSET', delivery, unpack(fields)) end
redis.call('HSET', delivery, 'state', order.state, 'tok', order.token, 'next', order.next or '')
local step = order.step
if order.up then step = redis.call('HINCRBY', delivery, 'step', 1) end
if order.due then
  redis.call('ZADD', KEYS[3], order.due, order.id)
else
  redis.call('ZREM', KEYS[3], order.id)
end
if order.counter then redis.call('HINCRBY', KEYS[4], order.counter, 1) end
-- Of an erased job nothing is kept for ever: its delivery goes a week after its last try.
if order.state ~= 'pending' and redis.call('EXISTS', job) == 0 then redis.call('PEXPIRE', delivery, 604800000) end
if redis.call('HGET', job, 'whd') == order.id then redis.call('HSET', job, 'whs', order.state) end
return { 'ok', step }
