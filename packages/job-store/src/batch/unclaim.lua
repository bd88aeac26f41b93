-- unclaim: the request came to nothing, so its key is free again; or with a lease: it is still being read.
-- Answers 1, or 0 when the key is not this request's
if redis.call('HGET', K.claim, 'by') ~= A.by then return 0 end
if tonumber(A.lease_ms) > 0 then return redis.call('PEXPIRE', K.claim, A.lease_ms) end
return redis.call('DEL', K.claim)
