-- hold-again: a process that may have counted as gone for a while lives, and holds these answers still. Nobody has left those that were taken for
-- left meanwhile, unless somebody has claimed them since.
-- by: the process; ids: of the answers; now: ms, or none
-- Answers the ids of the jobs that wait for nobody's return any more
local back = {}
-- It may count as gone once more since it has said that it lives.
redis.call('ZADD', K.processes, 'NX', now_of({ now = tonumber(A.now or '') }), A.by)
for _, id in ipairs(A.ids) do
  local answer = A.answer .. id
  local found = redis.call('HMGET', answer, 'by', 'left', 'claimed', 'jobs')
  if found[1] == A.by then
    redis.call('SADD', K.held, id)
    if found[2] and not found[3] then
      redis.call('HDEL', answer, 'left')
      redis.call('ZREM', K.leaving, id)
      somebody_waits(found[4])
      back[#back + 1] = found[4]
    end
  end
end
return back
