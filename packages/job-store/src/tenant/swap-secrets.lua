#!lua flags=allow-oom
-- swap-secrets: a tenant's sealed webhook secrets, if they still are what the caller has read. What is owed has to be signed,
-- so a full Redis takes it.
-- KEYS 1 tenant
-- ARGV 1 text before (empty: none) 2 text after 3 channel of changes 4 name of the tenant
-- Answers 1 written, now or by this same call before | 0 somebody else has changed them
local now = redis.call('HGET', KEYS[1], 'webhook_secret') or ''
if now == ARGV[2] then return 1 end
if now ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'webhook_secret', ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
