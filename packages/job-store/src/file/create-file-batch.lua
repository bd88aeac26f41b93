-- create-file-batch: a batch that is to be made of the lines of a file, before the first of them is read. Of a tenant that has too many of
-- them the oldest are forgotten; the batches themselves stay.
-- claim: what its Idempotency-Key has made
-- Answers {'made'} | {'replay', id, fingerprint}
if K.claim then
  local made = redis.call('HMGET', K.claim, 'id', 'fp')
  if made[1] and made[1] ~= A.id then return { 'replay', made[1], made[2] } end
  redis.call('HSET', K.claim, 'id', A.id, 'fp', A.fingerprint)
  redis.call('PEXPIRE', K.claim, A.ttl_ms)
end
redis.call('HSET', K.record, unpack(A.fields))
redis.call('ZADD', K.tenant_file_batches, 0, A.id)
local many = redis.call('ZCARD', K.tenant_file_batches) - tonumber(A.most)
if many > 0 then
  for _, id in ipairs(redis.call('ZPOPMIN', K.tenant_file_batches, many)) do
    if string.sub(id, 1, 6) == 'batch_' then redis.call('DEL', A.prefix .. id) end
  end
end
return { 'made' }
