-- forget: an id leaves a set that its record does not belong to. One that has changed since it was read stays.
-- step: as it was read, none when there was no record
-- Answers 1, or 0 when it stays
if (redis.call('HGET', K.record, 'step') or '') ~= (A.step or '') then return 0 end
return redis.call('ZREM', K.set, A.id)
