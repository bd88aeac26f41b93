-- Jobs for whose answer nobody waits do not begin until somebody does, or they are canceled. jobs: their ids, with commas
local function each_of(jobs, use)
  local from = 1
  while from <= #jobs do
    local comma = string.find(jobs, ',', from, true) or #jobs + 1
    use(string.sub(jobs, from, comma - 1))
    from = comma + 1
  end
end

local function nobody_waits(jobs, till)
  each_of(jobs, function(id) redis.call('ZADD', K.unwaited, till, id) end)
end

local function somebody_waits(jobs)
  each_of(jobs, function(id) redis.call('ZREM', K.unwaited, id) end)
end
