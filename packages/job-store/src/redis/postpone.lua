-- postpone: the entry of this step is there, so look at it again later. A job or delivery that moved on keeps its own time.
if redis.call('HGET', K.record, 'step') ~= A.step then return 0 end
return redis.call('ZADD', K.due, 'XX', 'GT', 'CH', A.due_at, A.id)
