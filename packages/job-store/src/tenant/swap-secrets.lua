-- swap-secrets: a tenant's sealed webhook secrets, if they still are what the caller has read. What is pending has to be signed,
-- so a full Redis takes it.
-- Answers 1 written, now or by this same call before | 0 somebody else has changed them
local now = redis.call('HGET', K.tenant, 'webhook_secret') or ''
if now == A.after then return 1 end
if now ~= (A.before or '') then return 0 end
redis.call('HSET', K.tenant, 'webhook_secret', A.after)
redis.call('PUBLISH', A.channel, A.name)
return 1
