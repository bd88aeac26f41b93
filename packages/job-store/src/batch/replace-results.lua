-- replace-results: the results file of a round is replaced by another.
-- before: key of its file until now; kept: what is kept of the round
-- Answers 1, or 0 when the round has another file or none by now
local field = 'past:' .. A.round
local past = redis.call('HGET', K.batch, field)
if not past then return 0 end
local key = cjson.decode(past).results.key
-- Sent again by the client library.
if key == cjson.decode(A.results).key then return 1 end
if key ~= A.before then return 0 end
redis.call('HSET', K.batch, field, A.kept)
local res = redis.call('HGET', K.batch, 'res')
if res and cjson.decode(res).key == A.before then redis.call('HSET', K.batch, 'res', A.results) end
return 1
