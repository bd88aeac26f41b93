-- Shared by all scripts. A record is a hash of short fields, and its parts: strings under keys of their own beside it. A hash with one long
-- value would lose the compact form in which Redis keeps small ones, and take half as much again.
-- Fields of a record that scripts read: st status, sg stage, run, step, seq, ver, tok at token and time of the last transition, tn turn,
-- sb sa su the lease (token, acquired at, expires at), due, exp, batch, whd whs last delivery and its state.

local function is_part(name)
  return name == 'doc' or name == 'out' or name == 'att'
end

local function part_key(job, name)
  return job .. ':' .. name
end

-- All of a record as field, value, …; empty when there is none. Of any other hash, such as a batch's, what HGETALL answers.
local function read_job(job)
  local fields = redis.call('HGETALL', job)
  if #fields == 0 then return fields end
  local texts = redis.call('MGET', part_key(job, 'doc'), part_key(job, 'out'), part_key(job, 'att'))
  for i, name in ipairs({ 'doc', 'out', 'att' }) do
    if texts[i] then fields[#fields + 1], fields[#fields + 2] = name, texts[i] end
  end
  return fields
end

-- Bytes of one field or part.
local function bytes_of(job, name)
  if is_part(name) then return redis.call('STRLEN', part_key(job, name)) end
  return redis.call('HSTRLEN', job, name)
end

local function delete_job(job)
  redis.call('DEL', job, part_key(job, 'doc'), part_key(job, 'out'), part_key(job, 'att'), part_key(job, 'stream'))
end
