#!lua flags=allow-oom
-- release: an attempt was broken off on our side. Its permit is free, and it says nothing of the endpoint.
-- KEYS 1 delivery 2.. endpoint (see webhooks.lua)
-- ARGV 1 order {id, endpoint, token, now}
local order = cjson.decode(ARGV[1])
local e = endpoint_at(2, order.endpoint)
redis.call('ZREM', e.open, order.token .. ' ' .. order.id)
drop_probe(e, order.token)
if redis.call('HGET', KEYS[1], 'lease') == order.token then redis.call('HDEL', KEYS[1], 'lease') end
note_room(e, order.now)
return 1
