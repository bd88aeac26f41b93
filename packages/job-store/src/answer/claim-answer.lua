-- claim-answer: a request that is sent again gets the answer that its caller lost, and no other caller gets that one too.
-- Answers {'claimed', ids of jobs} | {'wait'}: an answer is still held, by a process that lives | {'new'}. With claimed and new a record is
-- made for this request.
local now = now_of({ now = tonumber(A.now or '') })
local AFTER_MS, LOST_MS = tonumber(A.after_ms), tonumber(A.lost_ms)

-- Sent again by the client library.
local own = redis.call('HGET', K.fresh, 'jobs')
if own then return own == A.jobs and { 'new' } or { 'claimed', own } end

-- Whether nobody can hold an answer any more: its process is gone. Nobody listens on its channel, or its heart has stopped.
local function is_gone(process)
  local beat = tonumber(redis.call('ZSCORE', K.processes, process) or '0')
  if beat + tonumber(A.dead_ms) < now then return true end
  return A.listeners_count == '1' and redis.call('PUBLISH', A.channel .. process, '') == 0
end

-- Whether a job is there, and was not over for long when the request came or its caller left; nil: it was never made. all: all of the request were
local function is_valid(id, left, all)
  local found = redis.call('HMGET', A.job .. id, 'st', 'fin')
  if not found[1] then
    if all or redis.call('EXISTS', A.erased .. id) == 1 then return false end
    return nil
  end
  local finished = tonumber(found[2] or '0') or 0
  return finished == 0 or math.max(finished, left) + AFTER_MS >= now
end

-- Where one job of a request is there, those that were never made with it are made by who claims them.
local function all_valid(jobs, left, all)
  local there = false
  for id in string.gmatch(jobs, '[^,]+') do
    local valid = is_valid(id, left, all)
    if valid == false then return false end
    there = there or valid
  end
  return there
end

-- How an answer may be claimed: 1 its caller left, 2 its process is gone, 3 it may have been lost on its way, 4 it is still held; nil: not at all.
local function rank_of(answer)
  local delivered, left, text = tonumber(answer[3] or '0'), tonumber(answer[4] or '0'), answer[5]
  if text and A.again ~= '1' then return nil end
  if left > 0 then return 1 end
  if delivered > 0 then return A.again == '1' and delivered + LOST_MS >= now and 3 or nil end
  if is_gone(answer[2]) then return 2 end
  return A.again == '1' and 4 or nil
end

-- Whether nobody will ever claim it.
local function is_over(answer)
  local delivered, left = tonumber(answer[3] or '0'), tonumber(answer[4] or '0')
  if not answer[1] or answer[6] or delivered > 0 and delivered + LOST_MS < now then return true end
  return left > 0 and left + AFTER_MS < now and not all_valid(answer[1], left, answer[8])
end

redis.call('ZREMRANGEBYSCORE', K.index, '-inf', now)
local best, best_id
-- Some are looked at: those that are over go, and do not stand before the others the next time.
local function look()
  local over = 0
  for _, id in ipairs(redis.call('ZRANGE', K.index, 0, 99)) do
    local found = redis.call('HMGET', A.answer .. id, 'jobs', 'by', 'delivered', 'left', 'text', 'claimed', 'leaves', 'made')
    if is_over(found) then
      over = over + redis.call('ZREM', K.index, id)
    else
      local rank = rank_of(found)
      if rank and (not best or rank < best.rank) and all_valid(found[1], tonumber(found[4] or '0'), found[8]) then
        best, best_id = { rank = rank, jobs = found[1], leaves = found[7], made = found[8] }, id
      end
    end
  end
  return over
end
for _ = 1, 10 do
  if look() == 0 or best then break end
end

if best and best.rank == 4 and A.share ~= '1' then return { 'wait' } end
local jobs, leaves = A.jobs, A.leaves
if best then
  jobs, leaves = best.jobs, best.leaves or ''
  redis.call('HSET', A.answer .. best_id, 'claimed', now)
  redis.call('ZREM', K.index, best_id)
  redis.call('ZREM', K.leaving, best_id)
  somebody_waits(jobs)
end
redis.call('HSET', K.fresh, 'jobs', jobs, 'by', A.by, 'index', K.index, 'leaves', leaves)
if best and best.made then redis.call('HSET', K.fresh, 'made', 1) end
redis.call('PEXPIRE', K.fresh, A.life_ms)
redis.call('ZADD', K.index, now + tonumber(A.life_ms), A.id)
redis.call('PEXPIRE', K.index, A.life_ms)
redis.call('SADD', K.held, A.id)
-- It lives. One that counted as gone may die before it says so: what it holds is found by its name there.
redis.call('ZADD', K.processes, 'NX', now, A.by)
return best and { 'claimed', jobs } or { 'new' }
