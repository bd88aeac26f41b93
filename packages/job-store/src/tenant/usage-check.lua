-- usage-check: whether a tenant may bring more at all, before anything of a request is stored.
-- Answers {'ok'} | {'quota', name, limit, used} | {'full'} | {'budget', credits, period, spent} | {'queue', limit, queued, more}
local order = cjson.decode(A.order)
return refusal_of(K.usage, K.spent, order) or queue_refusal(order.tenant, order.queued, order.use.live) or { 'ok' }
