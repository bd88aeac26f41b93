#!lua flags=no-writes
-- A delivery with the job it tells of, in one round trip.
-- KEYS 1 delivery 2 job
return { redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]) }
