#!lua flags=allow-oom
-- schema-swap: the schema version of the installation, written where still stands what was seen; on a full Redis too.
-- KEYS 1 schema
-- ARGV 1 what was seen ('': nothing) 2 what to write
-- Answers what stands there now
local now = redis.call('GET', KEYS[1]) or ''
if now ~= ARGV[1] then return now end
redis.call('SET', KEYS[1], ARGV[2])
return ARGV[2]
