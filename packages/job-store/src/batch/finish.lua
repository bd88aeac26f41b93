-- finish: the end of a round, whose results are stored. Its delivery is written with it.
-- order {id, token, now, round, by (who holds the operation; nil: does not matter), canceling, status, delivery or nil (see make_delivery)}
-- kept: what is kept of the round
-- Answers 1, or 0 when the round is over already or goes on
local order = cjson.decode(A.order)
local batch = K.batch
local seen = redis.call('HMGET', batch, 'st', 'round', 'n:queued', 'n:running', 'tok')
-- Sent again by the client library.
if seen[5] == order.token then return 1 end
if seen[1] ~= (order.canceling and 'canceling' or 'running') or tonumber(seen[2]) ~= order.round then return 0 end
-- A job that ended anew since the operation was taken is not in the results as it is now: another worker takes the operation.
if order.by and redis.call('HGET', K.finish, 'by') ~= order.by then return 0 end
if tonumber(seen[3] or '0') + tonumber(seen[4] or '0') > 0 then return 0 end
redis.call('HSET', batch, 'st', order.status, 'tok', order.token, 'fin', order.now, 'res', A.results, 'past:' .. order.round, A.kept)
redis.call('ZADD', K.ended_batches, order.now, order.id)
if order.delivery and make_delivery(order.delivery, order.now) then
  await_entry(order.delivery, order.now)
  redis.call('HSET', batch, 'whd', order.delivery.id, 'whs', 'pending')
end
return 1
