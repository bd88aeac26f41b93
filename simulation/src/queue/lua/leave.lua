-- An entry is done with, waits until a time, or has failed for a reason; and its slot takes the next one, under the lock `next`.
local now = tonumber(A.now)
local refused = release(A.id, A.token)
if refused < 0 then return refused end
if A.as == 'done' then
  redis.call('DEL', K.entry .. A.id)
elseif A.as == 'wait' then
  delay(A.id, tonumber(A.detail))
else
  fail(A.id, A.detail, now)
end
if A.next == '' then return { '', 0, nextDue(), ready() } end
return take(now, A.next, tonumber(A.lockMs), A.limited)
