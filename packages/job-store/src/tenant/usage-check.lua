-- usage-check: whether a tenant may bring more at all, before anything of a request is stored.
-- Answers {'ok'} | {'quota', name, limit, used} | {'full'} | {'budget', credits, period, spent}
return refusal_of(K.usage, K.spent, cjson.decode(A.order)) or { 'ok' }
