-- forget-key: an Idempotency-Key is free again, if it belongs to this job.
-- Answers 1, or 0 when it belongs to another, or to none
if redis.call('HGET', K.idempotency, 'id') ~= A.id then return 0 end
return redis.call('DEL', K.idempotency)
