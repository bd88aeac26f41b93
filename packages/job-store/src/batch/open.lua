-- open: a batch whose lines are coming in. Nobody sees it; what is not committed in time is erased.
if redis.call('EXISTS', K.batch) == 1 then return 1 end
redis.call('HSET', K.batch, 'st', 'validating', unpack(A.fields))
add_operation(K.erase, K.operations, 'batch-erase:' .. A.id, 'batch-erase', { batch_id = A.id }, A.erase_at)
return 1
