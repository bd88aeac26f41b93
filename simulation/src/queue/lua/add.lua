-- Five values for each entry; one without an id gets a number. A known id is left as it is.
local now = tonumber(A.now)
for i = 1, #A.entries, 5 do
  local nth = redis.call('INCR', K.counter)
  local id = A.entries[i]
  if id == '' then id = '' .. nth end
  local entry = K.entry .. id
  if redis.call('EXISTS', entry) == 0 then
    local priority, due = A.entries[i + 3], tonumber(A.entries[i + 4])
    redis.call('HSET', entry, 'name', A.entries[i + 1], 'data', A.entries[i + 2], 'added', now, 'priority', priority)
    if due > 0 then
      delay(id, due)
    else
      joinLine(id, tonumber(priority), nth)
    end
  end
end
return ready()
