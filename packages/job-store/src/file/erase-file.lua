-- erase-file: the object of a file is gone, and now the file is.
local seen = redis.call('HMGET', K.file, 'tenant', 'bytes', 'use')
if seen[1] then count_use(K.usage, seen[1], -tonumber(seen[3]), -tonumber(seen[2]), 0) end
redis.call('DEL', K.file)
redis.call('ZREM', K.tenant_files, A.id)
redis.call('ZREM', K.expiring, A.id)
return 1
