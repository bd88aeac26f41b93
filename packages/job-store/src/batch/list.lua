-- list: lines of a committed batch enter the list of their tenant, and what is due. They may have run, or be gone, by then.
-- ids: theirs
for i, job in ipairs(K.jobs) do
  local seen = redis.call('HMGET', job, 'cr', 'st', 'tn', 'exp')
  if seen[1] then
    redis.call('ZADD', K.tenant_jobs, seen[1], A.ids[i])
    if seen[2] == 'queued' and (seen[3] or '0') == '0' then redis.call('ZADD', K.due, 'NX', seen[4], A.ids[i]) end
  end
end
return 1
