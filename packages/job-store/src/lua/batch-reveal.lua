#!lua flags=allow-oom
-- batch-reveal: some jobs of a committed batch take their turns and their places in the lists.
-- KEYS 1 due 2 turns 3 tenant's jobs 4.. jobs
-- ARGV 1 order {due, tenant} 2.. ids
-- Answers for each job: its turn, queue and priority when it still has to get its first entry, else an empty list
local order = cjson.decode(ARGV[1])
local due, turns, list = KEYS[1], KEYS[2], KEYS[3]
local rows = {}
for i = 4, #KEYS do
  local job, id = KEYS[i], ARGV[i - 2]
  local seen = redis.call('HMGET', job, 'st', 'step', 'tn', 'q', 'pr', 'cr')
  if seen[1] == 'validating' then
    local turn = next_turn(turns, order.tenant)
    redis.call('HSET', job, 'st', 'queued', 'tn', turn, 'due', order.due)
    redis.call('ZADD', due, order.due, id)
    redis.call('ZADD', list, seen[6], id)
    count_queued(turns, 1)
    rows[i - 3] = { tostring(turn), seen[4], seen[5] or 'normal' }
  elseif seen[1] == 'queued' and seen[2] == '1' then
    -- The worker that revealed it died before it added the entry, or did not hear of the answer.
    rows[i - 3] = { seen[3], seen[4], seen[5] or 'normal' }
  else
    rows[i - 3] = {}
  end
end
return rows
