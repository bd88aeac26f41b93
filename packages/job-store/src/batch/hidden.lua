-- hidden: lines that nobody sees, since their batch is not committed.
-- ids: of the jobs that are asked about
-- Answers the ids of those among them
local hidden, known = {}, {}
for i, job in ipairs(K.jobs) do
  local seen = redis.call('HMGET', job, 'st', 'tn', 'batch', 'ver')
  local batch = seen[3]
  if seen[1] == 'queued' and (seen[2] or '0') == '0' and (seen[4] or '1') == '1' and batch and batch ~= '' then
    if not known[batch] then known[batch] = redis.call('HGET', K.batches .. batch, 'st') or 'gone' end
    if known[batch] == 'validating' or known[batch] == 'discarding' then hidden[#hidden + 1] = A.ids[i] end
  end
end
return hidden
