#!lua flags=allow-oom
-- settle: what a webhook try came to, for the delivery and for its endpoint. A delivery that is over leaves the due set.
-- KEYS 1 delivery 2 subject (job or batch) 3 due deliveries 4 counters 5 endpoint 6 its open tries (5 and 6 are the delivery when no try ends)
-- ARGV 1 order {id, token, step, now, tries|nil, state, due|nil, next|nil, counter|nil, up, try {token, result ok|failed|gone|none}|nil}
--      2.. field, value
-- Answers {'ok', step, note} | {'stale', 0, note} | {'missing', 0, note}; note: closed, opened, disabled or '' of the endpoint
local order = cjson.decode(ARGV[1])
local delivery, subject = KEYS[1], KEYS[2]
-- The place is given back whatever has become of the delivery.
local note = order.try and end_try(KEYS[5], KEYS[6], order.try, order.now, KEYS[4]) or ''
local seen = redis.call('HMGET', delivery, 'step', 'tok', 'state', 'tries')
if not seen[1] then return { 'missing', 0, note } end
if seen[2] == order.token then return { 'ok', tonumber(seen[1]), note } end
if tonumber(seen[1]) ~= order.step then return { 'stale', 0, note } end
-- Two workers can have tried the same step, when one of them was frozen: the first to end it counts.
if order.tries and (seen[3] ~= 'pending' or tonumber(seen[4]) ~= order.tries) then return { 'stale', 0, note } end

local fields = {}
for i = 2, #ARGV do fields[i - 1] = ARGV[i] end
if #fields > 0 then redis.call('HSET', delivery, unpack(fields)) end
local step = order.step
if order.up then step = redis.call('HINCRBY', delivery, 'step', 1) end
if order.state == 'pending' then redis.call('PERSIST', delivery) end
write_state(delivery, subject, KEYS[3], order.id, order.token, order.state, order.next, order.due)
if order.counter then redis.call('HINCRBY', KEYS[4], order.counter, 1) end
return { 'ok', step, note }
