-- The credits of a record: `rsv` what its open call has set aside, on the day `rd`, and `chg`, `unk`, `rfd` what its calls have cost, may have
-- cost and gave back. A batch has the sums of its jobs, `unk` as a part of `rsv`. A job without a price (`px`) has none of it.
-- A tenant has `<spent>:<tenant>:<day>`, with `<model> <key> <letter>` for each kind of call that began on that day: j jobs that began,
-- c charged, r reserved, f refunded, p and o tokens; and `#`, which is c + r of all. In `spent` itself stand that sum for all days (`<tenant>`)
-- and for each month (`<tenant> <month>`), and the budget (`budget <tenant>`, `period <tenant>`).
local DAY_MS = 86400000
local SPENT_KEPT_MS = 400 * DAY_MS

local function day_of(now)
  return math.floor(now / DAY_MS)
end

-- Months of a calendar since the year 0, of a day since 1970.
local function month_of(day)
  local z = day + 719468
  local era = math.floor(z / 146097)
  local of_era = z - era * 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  return (year + era * 400) * 12 + math.floor((5 * of_year + 2) / 153) + 2
end

local function spent_key(spent, tenant, day)
  return spent .. ':' .. tenant .. ':' .. day
end

-- What is charged and reserved of a tenant together changes.
local function spend(spent, tenant, day, credits)
  if credits == 0 then return end
  local key = spent_key(spent, tenant, day)
  if redis.call('HINCRBY', key, '#', credits) == credits then redis.call('PEXPIRE', key, SPENT_KEPT_MS) end
  redis.call('HINCRBY', spent, tenant, credits)
  redis.call('HINCRBY', spent, tenant .. ' ' .. month_of(day), credits)
end

-- The budget of a tenant {credits, period, spent in this period}, or nothing.
local function budget_of(spent, tenant, day)
  local budget = redis.call('HMGET', spent, 'budget ' .. tenant, 'period ' .. tenant)
  if not budget[1] then return end
  local used
  if budget[2] == 'day' then used = redis.call('HGET', spent_key(spent, tenant, day), '#')
  elseif budget[2] == 'month' then used = redis.call('HGET', spent, tenant .. ' ' .. month_of(day))
  else used = redis.call('HGET', spent, tenant) end
  return { credits = tonumber(budget[1]), period = budget[2], used = tonumber(used or '0') }
end

-- A batch that was forgotten must not come back as these fields.
local function count_in_cost(batch, field, credits)
  if batch and redis.call('HEXISTS', batch, 'st') == 1 then redis.call('HINCRBY', batch, field, credits) end
end

-- A call begins. What the one before has left open stays unknown. seen: px, rsv, started, tenant, mdl, ky
-- Answers fields of the record that are to be set, field and value.
local function reserve_cost(job, seen, batch, spent, now)
  if not seen.px then return {} end
  local day, credits = day_of(now), tonumber(seen.px)
  if seen.rsv then redis.call('HINCRBY', job, 'unk', seen.rsv) end
  count_in_cost(batch, 'rsv', credits)
  local key, row = spent_key(spent, seen.tenant, day), (seen.mdl or '?') .. ' ' .. (seen.ky or '?')
  redis.call('HINCRBY', key, row .. ' r', credits)
  if not seen.started then redis.call('HINCRBY', key, row .. ' j', 1) end
  -- Of calls that cost nothing nothing is spent.
  if credits == 0 then redis.call('PEXPIRE', key, SPENT_KEPT_MS) end
  spend(spent, seen.tenant, day, credits)
  return { 'rsv', seen.px, 'rd', day }
end

-- What the open call has come to. cost {as: 'charged' | 'refunded' | 'released' | 'unknown', credits|nil: what was charged where that is not what was
-- set aside, tokens|nil {prompt, completion}, guess|nil}; `set` takes fields of the record. seen: rsv, rd, tenant, mdl, ky, chg, unk, rfd
local function settle_open(cost, seen, batch, spent, set)
  local reserved, day = tonumber(seen.rsv), seen.rd
  local function add(field, credits)
    set(field, tonumber(seen[field] or '0') + credits)
    count_in_cost(batch, field, credits)
  end
  if cost.as == 'unknown' then return set('unk', tonumber(seen.unk or '0') + reserved) end

  local key, row = spent_key(spent, seen.tenant, day), (seen.mdl or '?') .. ' ' .. (seen.ky or '?')
  local function count(letter, n)
    if n ~= 0 then redis.call('HINCRBY', key, row .. ' ' .. letter, n) end
  end
  count('r', -reserved)
  count_in_cost(batch, 'rsv', -reserved)
  local charged = cost.as == 'charged' and (cost.credits or reserved) or 0
  spend(spent, seen.tenant, day, charged - reserved)
  if cost.as == 'charged' then
    add('chg', charged)
    count('c', charged)
    if cost.tokens then
      count('p', cost.tokens.prompt)
      count('o', cost.tokens.completion)
    end
    if cost.guess then
      set('est', 1)
      count_in_cost(batch, 'est', 1)
    end
  elseif cost.as == 'refunded' then
    add('rfd', reserved)
    count('f', reserved)
  end
end

-- What a transition says of the open call. cost: as of `settle_open`, or {as: 'reserved', before|nil: what became of the one that is open still};
-- `set` and `gone` take fields of the record. seen: rsv, px
local function settle_cost(cost, job, seen, batch, spent, now, set, gone)
  local begins = cost.as == 'reserved'
  if not begins and not seen.rsv then return end
  local fields = { 'mdl', 'ky', 'rd', 'tenant', 'started', 'chg', 'unk', 'rfd' }
  local found = redis.call('HMGET', job, unpack(fields))
  -- A call that begins is with the model that the transition sets; what is settled was with the one before.
  local model = begins and seen.mdl
  for i, field in ipairs(fields) do seen[field] = found[i] or nil end
  local settled = not begins and cost or cost.before
  if settled and seen.rsv then
    settle_open(settled, seen, batch, spent, set)
    seen.rsv = nil
    if not begins or not seen.px then gone[#gone + 1], gone[#gone + 2] = 'rsv', 'rd' end
  end
  if model then seen.mdl = model end
  if not begins then return end
  local fields = reserve_cost(job, seen, batch, spent, now)
  for i = 1, #fields, 2 do set(fields[i], fields[i + 1]) end
end
