-- queue-change: what an operator sets for a queue. A few short fields, so a full Redis takes them: that is when they are needed.
-- pause, limit: '-' takes it back
if A.pause == '-' then
  redis.call('HDEL', K.pauses, 'operator')
elseif A.pause then
  redis.call('HSET', K.pauses, 'operator', A.pause)
end
if A.limit == '-' then
  redis.call('HDEL', K.concurrency, A.queue)
elseif A.limit then
  redis.call('HSET', K.concurrency, A.queue, A.limit)
end
redis.call('PUBLISH', A.channel, A.queue)
return 1
