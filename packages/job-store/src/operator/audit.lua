-- audit: one line of what an operator does. `begin` before anything is changed, `end` with the outcome, `note` both at once.
-- of: the line that this one ends; kept: about how many lines are; fields: field, value, …
-- Answers the id of the line.
local id = redis.call('XADD', K.lines, 'MAXLEN', '~', A.kept, '*', unpack(A.fields))
if A.kind == 'begin' then redis.call('SADD', K.open, id) end
if A.kind == 'end' then redis.call('SREM', K.open, A.of) end
return id
