#!lua flags=allow-oom
-- set-field: one field of a small hash of which there are few (why a queue stands still, who works), on a full Redis too.
-- KEYS 1 hash
-- ARGV 1 field 2 text 3 '1': only where there is none
-- Answers 1 when the field is new
return redis.call(ARGV[3] == '1' and 'HSETNX' or 'HSET', KEYS[1], ARGV[1], ARGV[2])
