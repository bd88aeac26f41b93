#!lua flags=allow-oom
-- audit: one line of what an operator does. `begin` before anything is changed, `end` with the outcome, `note` both at once.
-- KEYS 1 stream 2 set of the lines without an outcome
-- ARGV 1 begin, end or note 2 id of the line that this ends ('' otherwise) 3 about how many lines are kept 4.. field, value
-- Answers the id of the line.
local fields = {}
for i = 4, #ARGV do fields[i - 3] = ARGV[i] end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', unpack(fields))
if ARGV[1] == 'begin' then redis.call('SADD', KEYS[2], id) end
if ARGV[1] == 'end' then redis.call('SREM', KEYS[2], ARGV[2]) end
return id
