-- revoke: a key is gone and all processes are notified, on a full Redis too. Its tenant is remembered.
redis.call('HDEL', K.keys, A.id)
redis.call('HDEL', K.used, A.id)
redis.call('SADD', K.tenants, A.tenant)
redis.call('PUBLISH', A.channel, A.id)
redis.call('DEL', K.key)
return 1
