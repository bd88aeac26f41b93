-- inputs-take: objects of a request that never became a job are about to be deleted; from now on it becomes none.
-- Answers 1, or 0 when the job is there, or the note is gone; then it is forgotten
if redis.call('EXISTS', K.job) == 1 then
  redis.call('ZREM', K.notes, A.note)
  return 0
end
if not redis.call('ZSCORE', K.notes, A.note) then return 0 end
redis.call('ZADD', K.notes, 0, A.note)
return 1
