#!lua flags=allow-oom
-- batch-replace: the results file of a round is replaced by another.
-- KEYS 1 batch
-- ARGV 1 round 2 key of the file before 3 what is kept of the round 4 results
-- Answers 1, or 0 when the round has another file or none by now
local field = 'past:' .. ARGV[1]
local past = redis.call('HGET', KEYS[1], field)
if not past then return 0 end
local key = cjson.decode(past).results.key
-- Sent again by the client library.
if key == cjson.decode(ARGV[4]).key then return 1 end
if key ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], field, ARGV[3])
local res = redis.call('HGET', KEYS[1], 'res')
if res and cjson.decode(res).key == ARGV[2] then redis.call('HSET', KEYS[1], 'res', ARGV[4]) end
return 1
