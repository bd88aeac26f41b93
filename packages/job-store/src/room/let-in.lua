-- let-in: what nothing else lets in: a permit was lost in a crash, fewer tenants ask, a limit was raised, or there are
-- credits again. And notes in <K.waiting>:<queue>:#idle
-- since when the first job of a tenant waits although it could begin, as `<job> <since>`.
-- order {queue, most (tenants that are seen to), most_idle (about so many are looked at for that note), now|nil, limits of the account as start_call has them, or nil}
-- Answers the jobs that have left their rooms
local order = cjson.decode(A.order)
local now, entries, paid = now_of(order), {}, 0
for _, tenant in ipairs(redis.call('ZRANGE', K.waiting .. ':' .. order.queue .. ':#broke', 0, order.most - 1)) do
  -- Those that are not seen to are the first the next time.
  if paid >= 10 * LET_IN then break end
  paid = paid + pay_again(order.queue, tenant, budget_of(K.spent, tenant, day_of(now)), now)
end
local tenants = redis.call('ZRANGE', K.waiting .. ':' .. order.queue, 0, order.most - 1)
redis.call('ZREMRANGEBYSCORE', K.waiting .. ':' .. order.queue .. ':#asking', '-inf', now)
if order.limits then note_limits(order.limits) end
local limits = account_limits()
for _, tenant in ipairs(tenants) do
  expire_permits(tenant, now)
  asks(order.queue, tenant, now)
end
for _, tenant in ipairs(tenants) do
  if #entries < LET_IN then let_in(limits, order.queue, tenant, LET_IN - #entries, now, entries) end
end

-- Tenants that have had a turn since all was empty: some of them, others each time, since a look at ten thousand would hold up everybody. What is
-- noted of them counts once all have been looked at.
local idle = K.waiting .. ':' .. order.queue .. ':#idle'
local noted, reached = idle .. ':next', idle .. ':at'
if pause_of(order.queue, now) or is_minute_over(limits, now) then
  redis.call('DEL', idle, noted, reached)
  return entries
end
local page = redis.call('HSCAN', K.turns, redis.call('GET', reached) or 0, 'COUNT', order.most_idle)
local room_for = 2000 - redis.call('HLEN', noted)
for i = 1, #page[2], 2 do
  local tenant = page[2][i]
  local room = room_key(order.queue, tenant)
  local first = room_for > 0 and string.sub(tenant, 1, 1) ~= '#' and (redis.call('ZRANGE', room .. ':seats', 0, 0)[1] or first_job(order.queue, room))
  if first and grantable(limits, order.queue, tenant, 1) > 0 then
    -- Those before it may all wait for calls of their own, and nothing would come to it.
    if #entries < LET_IN and redis.call('ZSCORE', K.waiting .. ':' .. order.queue, tenant) then
      let_in(limits, order.queue, tenant, LET_IN - #entries, now, entries)
    end
    local known = redis.call('HGET', idle, tenant)
    local since = known and string.sub(known, 1, #first + 1) == first .. ' ' and known or first .. ' ' .. string.format('%.0f', now)
    room_for = room_for - redis.call('HSET', noted, tenant, since)
  end
end
if page[1] ~= '0' then
  redis.call('SET', reached, page[1])
else
  redis.call('DEL', idle, reached)
  if redis.call('EXISTS', noted) == 1 then redis.call('RENAME', noted, idle) end
end
return entries
