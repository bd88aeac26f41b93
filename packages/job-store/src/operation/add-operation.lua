-- An operation is written once; a worker that holds it at this moment finds out that it is due again.
local function add_operation(operation, operations, id, kind, order, at)
  if redis.call('HSETNX', operation, 'kind', kind) == 1 then
    redis.call('HSET', operation, 'order', cjson.encode(order), 'created', at)
  else
    redis.call('HDEL', operation, 'by', 'open')
  end
  redis.call('ZADD', operations, at, id)
end
