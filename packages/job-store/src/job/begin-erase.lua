-- begin-erase: an ended job whose objects are about to be deleted; from now on nothing reopens it.
-- kept_ms: so long it is kept after its end by the time of Redis, 0: it may go at once
-- Answers 1, or 0 when the job changed, is gone or is still kept
local seen = read_state(K.job, 'ver', 'fin')
if is_kept(seen.fin, A.kept_ms, A.now) then return 0 end
if guard('begin_erase', seen, { step = tonumber(A.step) }) then return 0 end
redis.call('HSET', K.job, 'era', 1, 'ver', tonumber(seen.ver or '1') + 1)
redis.call('ZREM', K.late, A.id)
return 1
