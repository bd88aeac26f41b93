#!lua
-- usage-check: whether a tenant may bring more at all, before anything of a request is stored.
-- KEYS 1 usage
-- ARGV 1 order (see refusal_of)
-- Answers {'ok'} | {'quota', name, limit, used} | {'full'}
return refusal_of(KEYS[1], cjson.decode(ARGV[1])) or { 'ok' }
