-- set-field: one field of a small hash of which there are few (why a queue stands still, who works), on a full Redis too.
-- Answers 1 when the field is new
return redis.call(A.only_new and 'HSETNX' or 'HSET', K.hash, A.field, A.text)
