-- discard: some jobs of a batch that was never committed; from the first call on it takes no line and no commit.
-- Answers 1, or 0 when the batch was committed
local st = redis.call('HGET', K.batch, 'st')
if st ~= 'validating' and st ~= 'discarding' then return 0 end
redis.call('HSET', K.batch, 'st', 'discarding')
local tenant = redis.call('HGET', K.batch, 'tenant')
local redis_bytes, stored_bytes, live = 0, 0, 0
for _, job in ipairs(K.jobs) do
  local seen = read_state(job, 'use', 'obj', 'ver')
  -- One of which something was heard has a life of its own: a failover has forgotten the commit.
  if (seen.ver or '1') == '1' and not guard('discard_line', seen, {}) then
    delete_job(job)
    if seen.use then
      redis_bytes = redis_bytes - tonumber(seen.use)
      stored_bytes = stored_bytes - tonumber(seen.obj or '0')
      live = live - 1
    end
  end
end
count_use(K.usage, tenant, redis_bytes, stored_bytes, live)
return 1
