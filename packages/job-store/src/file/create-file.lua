-- create-file: an object that was uploaded becomes a file of its tenant.
-- order {id, note, expires_at, tenant, use, limits, room (see refusal_of)}
-- Answers {'ok'} | {'late'}: its object is being deleted | why the tenant may have no more (see refusal_of)
local order = cjson.decode(A.order)
-- Sent again by the client library.
if redis.call('EXISTS', K.file) == 1 then return { 'ok' } end
local since = redis.call('ZSCORE', K.input_notes, order.note)
if not since or tonumber(since) == 0 then return { 'late' } end
local refused = refusal_of(K.usage, K.spent, order)
if refused then return refused end
count_use(K.usage, order.tenant, order.use.redis, order.use.stored, 0)
redis.call('HSET', K.file, unpack(A.fields))
redis.call('ZADD', K.tenant_files, 0, order.id)
redis.call('ZADD', K.expiring, order.expires_at, order.id)
redis.call('ZREM', K.input_notes, order.note)
return { 'ok' }
