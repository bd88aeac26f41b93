-- claim: an Idempotency-Key whose request is still being read is one request's alone.
-- Answers {'claimed'} | {'open'} | {'replay', id, fingerprint}
local seen = redis.call('HMGET', K.claim, 'id', 'fp', 'by')
if seen[1] then return { 'replay', seen[1], seen[2] } end
if seen[3] and seen[3] ~= A.by then return { 'open' } end
redis.call('HSET', K.claim, 'by', A.by)
redis.call('PEXPIRE', K.claim, A.lease_ms)
return { 'claimed' }
