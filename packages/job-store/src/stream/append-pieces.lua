-- append-pieces: some pieces of the answer that an attempt at a chat is bringing, for who watches and for who comes back. Pieces of an earlier
-- attempt give way. What would be too long, or has lost its beginning, is published and not kept.
-- attempt: grows over the attempts of a job; writer: who makes it; first, count: the numbers of the pieces, from 1; whole: they end the answer
-- Answers 'kept' | 'published' | 'known': they were kept before | 'stale': a later attempt is there
local HEAD_BYTES = 64 -- what stands in front of the pieces of a line, roughly
local attempt, first = tonumber(A.attempt), tonumber(A.first)
local last = redis.call('LINDEX', K.stream, -1)
local next, bytes = 1, 0
if last then
  local of, from, many, size, writer = string.match(last, '^(%d+) (%d+) (%d+) (%d+) (%S+) ')
  if tonumber(of) > attempt then return 'stale' end
  if tonumber(of) < attempt or writer ~= A.writer then
    redis.call('DEL', K.stream)
  else
    next, bytes = tonumber(from) + tonumber(many), tonumber(size)
  end
end
if first < next then return 'known' end
bytes = bytes + #A.pieces + HEAD_BYTES
local kept = first == next and bytes <= tonumber(A.most_bytes)
local at = kept and redis.call('LLEN', K.stream) or -1
local line = table.concat({ A.attempt, A.first, A.count, bytes, A.writer, at, A.number, A.whole }, ' ') .. '|' .. A.pieces
if kept then redis.call('RPUSH', K.stream, line) end
-- What is kept of a longer answer stays while that goes on, and no longer.
redis.call('PEXPIRE', K.stream, A.keep_ms)
redis.call('PUBLISH', K.stream, line)
return kept and 'kept' or 'published'
