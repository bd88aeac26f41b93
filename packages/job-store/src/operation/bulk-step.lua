-- bulk-step: one job of a bulk action is behind it, or a piece of the counting.
-- steps: those before this one; credit: time up to which its rate is used up; counts: counter, by, …
-- Answers the status of the action, or 'stale' when another worker has gone on with it
if redis.call('HGET', K.action, 'n') ~= A.steps then return 'stale' end
redis.call('HSET', K.action, 'n', tonumber(A.steps) + 1, 'cur', A.cursor, 'phase', A.phase, 'credit', A.credit)
for i = 1, #A.counts, 2 do redis.call('HINCRBY', K.action, A.counts[i], A.counts[i + 1]) end
return redis.call('HGET', K.action, 'st')
