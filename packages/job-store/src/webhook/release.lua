-- release: an attempt was broken off on our side. Its permit is free, and it says nothing of the endpoint.
-- order {id, endpoint, token, now|nil}
local order = cjson.decode(A.order)
local e = endpoint_named(order.endpoint)
redis.call('ZREM', e.open, order.token .. ' ' .. order.id)
drop_probe(e, order.token)
if redis.call('HGET', K.delivery, 'lease') == order.token then redis.call('HDEL', K.delivery, 'lease') end
note_room(e, now_of(order))
return 1
