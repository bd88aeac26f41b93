-- postpone: the entry of this step is there, so it is checked again later. A job or delivery that has changed keeps its own time.
if redis.call('HGET', K.record, 'step') ~= A.step then return 0 end
return redis.call('ZADD', K.due, 'XX', 'GT', 'CH', A.due_at, A.id)
