-- What the guard needs to know of a job, and the fields that are asked for besides. Without a record `state` is nil.
local function read_state(job, ...)
  local found = redis.call('HMGET', job, 'st', 'sg', 'step', 'sb', 'era', ...)
  local seen = { status = found[1] or nil, stage = found[2] or '', step = tonumber(found[3] or '0'), lease = found[4] or nil, erasing = found[5] }
  if seen.status then seen.state = seen.stage == '' and seen.status or seen.status .. '/' .. seen.stage end
  for i, field in ipairs({ ... }) do seen[field] = found[i + 5] or nil end
  return seen
end

-- Whether a row of the table may be applied to a job by whoever holds `by` {lease} or {step}: nil, or why not.
local function guard(name, seen, by)
  local row = transition_row(name)
  if not seen.state then return not row.creates and 'missing' or nil end
  if by.lease then
    if seen.lease ~= by.lease then return 'stale' end
  elseif row.guard ~= 'none' and seen.step ~= by.step then
    return 'stale'
  end
  if row.creates or seen.erasing and not row.erases or not row.from[seen.state] then return 'wrong' end
end

-- Whether a run failed without anybody knowing if its submit made a task.
local function is_unknown(err)
  return type(err) == 'string' and string.find(err, '"code":"submit_unknown"', 1, true) ~= nil
end
