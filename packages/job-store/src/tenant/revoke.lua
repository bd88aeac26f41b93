-- revoke: a key is gone and all processes are notified, on a full Redis too. Its tenant is remembered, and for a while that it was there.
redis.call('HDEL', K.keys, A.id)
redis.call('HDEL', K.used, A.id)
redis.call('SADD', K.tenants, A.tenant)
redis.call('SET', K.tombstone, A.tenant, 'PX', A.tombstone_ms)
redis.call('PUBLISH', A.channel, A.id)
redis.call('DEL', K.key)
return 1
