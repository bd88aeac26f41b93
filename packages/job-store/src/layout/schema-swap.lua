-- schema-swap: the schema version of the installation, written where still stands what was seen; on a full Redis too.
-- seen: nothing, where there was none
-- Answers what stands there now
local now = redis.call('GET', K.schema) or ''
if now ~= (A.seen or '') then return now end
redis.call('SET', K.schema, A.next)
return A.next
