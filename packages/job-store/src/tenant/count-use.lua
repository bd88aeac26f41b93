-- What the records of tenants take is counted in one hash: `redis:<tenant>` and `stored:<tenant>` bytes, `live:<tenant>` jobs, and
-- `#redis` for all. A record keeps what was counted for it (`use`, `obj`), so that the same goes when it goes; one that was made
-- before there were counters has no `use` and is in none.
local function count_use(usage, tenant, redis_bytes, stored_bytes, live)
  local function count(field, by)
    if by ~= 0 and redis.call('HINCRBY', usage, field, by) == 0 then redis.call('HDEL', usage, field) end
  end
  count('redis:' .. tenant, redis_bytes)
  count('#redis', redis_bytes)
  count('stored:' .. tenant, stored_bytes)
  count('live:' .. tenant, live)
end

-- Why records that take `order.use` are not taken in: {'quota', name, limit, used} | {'full'} | {'budget', credits, period, spent, day} | nothing.
-- Order: tenant, use {redis, stored, live}, limits {the same; 0 is none} or nil, room (how much all may take) or nil, day (of a tenant that has
-- a budget) or nil.
local function refusal_of(usage, spent, order)
  local budget = order.day and budget_of(spent, order.tenant, order.day)
  if budget and budget.used >= budget.credits then return { 'budget', budget.credits, budget.period, budget.used, order.day } end
  for _, name in ipairs({ 'redis', 'stored', 'live' }) do
    local limit, more = order.limits and order.limits[name] or 0, order.use[name]
    if limit > 0 then
      local used = tonumber(redis.call('HGET', usage, name .. ':' .. order.tenant) or '0')
      if used + more > limit then return { 'quota', name, limit, used } end
    end
  end
  if order.room and tonumber(redis.call('HGET', usage, '#redis') or '0') + order.use.redis > order.room then return { 'full' } end
end
