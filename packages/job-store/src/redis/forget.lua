-- forget: an id leaves a set in which its record has no place. One that has moved on since it was read keeps the place that it has got.
-- step: as it was read, none when there was no record
-- Answers 1, or 0 when it stays
if (redis.call('HGET', K.record, 'step') or '') ~= (A.step or '') then return 0 end
return redis.call('ZREM', K.set, A.id)
