#!lua flags=allow-oom
-- batch-discard: a batch that came to nothing is erased soon. A full Redis may be why it came to nothing.
-- KEYS 1 works
-- ARGV 1 erase work 2 now
return redis.call('ZADD', KEYS[1], 'XX', 'LT', ARGV[2], ARGV[1])
