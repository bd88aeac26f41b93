-- inputs-take: objects of a request that never became a job are about to be deleted; from now on it becomes none.
-- kept_ms: so old it has to be by the time of Redis
-- Answers 1, or 0 when the job is there, and the note forgotten; or the note is gone or too young
if redis.call('EXISTS', K.job) == 1 then
  redis.call('ZREM', K.notes, A.note)
  return 0
end
local since = redis.call('ZSCORE', K.notes, A.note)
if not since or is_kept(since, A.kept_ms, A.now) then return 0 end
redis.call('ZADD', K.notes, 0, A.note)
return 1
