#!lua flags=allow-oom
-- inputs-take: objects of a request that never became a job are about to be deleted; from now on it becomes none.
-- KEYS 1 input notes 2 job
-- ARGV 1 note
-- Answers 1, or 0 when the job is there, or the note is gone; then it is forgotten
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('ZREM', KEYS[1], ARGV[1])
  return 0
end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], 0, ARGV[1])
return 1
