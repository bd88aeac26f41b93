-- open: a batch whose lines are coming in. Nobody sees it; what is not committed in time is discarded.
if redis.call('EXISTS', K.batch) == 1 then return 1 end
redis.call('HSET', K.batch, 'st', 'validating', unpack(A.fields))
add_operation(K.discard, K.operations, 'batch-discard:' .. A.id, 'batch-discard', { batch_id = A.id }, A.discard_at)
return 1
