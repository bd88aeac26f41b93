-- discard-soon: a batch that came to nothing is discarded soon. A full Redis may be why it came to nothing.
return redis.call('ZADD', K.operations, 'XX', 'LT', A.now, A.id)
