-- settle: what a webhook attempt came to, for the delivery and for its endpoint, whose permit goes to those who wait. Also all else
-- that changes a delivery: a repair, a resend. A delivery that is over leaves the due set.
-- order {id, token, step, now|nil, endpoint, made|nil, state, wait|nil (ms until its next attempt) or next|nil (when that was due already), due_after, counter|nil, up, overdue|nil, again (a resend)|nil, wants (tokens of attempts that the
-- caller can make next), attempt {token, result ok|failed|gone|none, answered, took}|nil}; fields: field, value, …
-- Answers {'ok', step, note, begun} | {'stale', 0, note, begun} | {'missing', 0, note, begun}; note: closed, opened, disabled or '' of
-- the endpoint; begun: {token, delivery, subject} of each attempt that has begun in the place of this one
local order = cjson.decode(A.order)
local delivery, subject, due_set, pending, counters = K.delivery, K.subject, K.due_deliveries, K.pending_deliveries, K.counters
local e = endpoint_named(order.endpoint)
local now, wants = now_of(order), order.wants or {}
local next = order.wait and now + order.wait or order.next

local lease = order.attempt and lease_of(e, order.id, order.attempt)
-- Sent again by the client library, after it has ended the attempt: those that had begun then are the answer.
local begun = lease and {} or handed_over(e, wants, delivery, order.id)
-- The permit is given back whatever has become of the delivery.
local note = order.attempt and end_attempt(e, order.id, order.attempt, lease, now, counters) or ''

local function write()
  local seen = redis.call('HMGET', delivery, 'step', 'tok', 'state', 'made')
  if not seen[1] then return 'missing', 0 end
  if seen[2] == order.token then return 'ok', tonumber(seen[1]) end
  if tonumber(seen[1]) ~= order.step then return 'stale', 0 end
  -- Two workers can have attempted the same step, when one of them was frozen: the first to end it counts.
  -- It was overdue when a repair found it; its entry may have come up since and left it in a room, where it needs none.
  if order.overdue and (tonumber(redis.call('ZSCORE', due_set, order.id) or '') or math.huge) > now then return 'stale', 0 end
  if order.made and (seen[3] ~= 'pending' or tonumber(seen[4]) ~= order.made) then return 'stale', 0 end
  -- A resend is meant, so it is attempted also where workers have died before.
  if order.attempt or order.again then redis.call('HDEL', delivery, 'lease', 'lost') end
  local step = order.step
  if order.up then
    step = redis.call('HINCRBY', delivery, 'step', 1)
    leave_room(e, order.id)
  end
  if order.state == 'pending' then redis.call('PERSIST', delivery) end
  write_state(delivery, subject, due_set, pending, order.id, order.token, order.state, next,
    next and math.max(now, next) + order.due_after, A.fields)
  if order.counter then redis.call('HINCRBY', counters, order.counter, 1) end
  return 'ok', step
end

local verdict, step = write()
if #begun == 0 then begun = hand_over(e, wants, due_set, delivery, order.id, now) end
if order.attempt then note_room(e, now) end
return { verdict, step, note, begun }
