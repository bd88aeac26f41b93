-- begin-erase: an ended job whose objects are about to be deleted; from now on nothing reopens it.
-- Answers 1, or 0 when the job changed or is gone
local seen = read_state(K.job, 'ver')
if guard('begin_erase', seen, { step = tonumber(A.step) }) then return 0 end
redis.call('HSET', K.job, 'era', 1, 'ver', tonumber(seen.ver or '1') + 1)
redis.call('ZREM', K.late, A.id)
return 1
