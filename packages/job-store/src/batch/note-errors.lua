-- note-errors: some lines of a batch that are left out.
-- Answers 1, or 0 when the batch is no longer open: nothing would ever remove them
if redis.call('HGET', K.batch, 'st') ~= 'validating' then return 0 end
redis.call('RPUSH', K.errors, unpack(A.texts))
return 1
