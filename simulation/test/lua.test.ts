import { startRedis } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ReplyError, SimulatedRedis } from '../src/index.ts';
import { toBytes } from '../src/redis/bytes.ts';
import { plain } from '../src/redis/client/replies.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url, { protocol: 2 });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Scripts by what of Lua and of its place in Redis they use. Tables answer up to their first nil, so nothing answers nil but the last. */
const SCRIPTS: Readonly<Record<string, string>> = {
  'numbers as text': `local out = {}
    for _, n in ipairs({ 0, 1, -1.5, 2.5, 0.03125, 0.1, 1/3, 100, 1234567, 1e14, 1e15, 123456789012345, 12345678901234567890, 1e-5, 2^53, 1e300, -1e-300, 5e-324 }) do
      out[#out + 1] = tostring(n)
      out[#out + 1] = n .. ''
      out[#out + 1] = redis.call('ECHO', n)
      out[#out + 1] = cjson.encode({ n })
      out[#out + 1] = string.format('%.4f %d %s %g', n % 1000, n % 1000, n, n)
    end
    out[#out + 1] = tostring(1/0) .. tostring(-1/0)
    return out`,
  'text as numbers': `local out = {}
    for _, text in ipairs({ '1', ' 12 ', '0x10', '1e3', '', 'x', '1x', '.5', '5.', '-', '1 2', '-0', 'inf', '1_0' }) do out[#out + 1] = tostring(tonumber(text)) end
    return { out, '10' + 5, '3' * '4', -'2', 10 .. 20, '7' % 4, 2 ^ '3', '9' / 2 }`,
  arithmetic:
    'return { 7 % 3, -7 % 3, 7 % -3, math.floor(-1.5), math.ceil(-1.5), math.abs(-3), math.max(1, 3, 2), math.min(4, 2), 7 / 2, 2 ^ 10 }',
  'numbers as answers': 'return { 1.9, -1.9, 0.5, 1e10, 3 }',
  'an infinite answer': 'return 1/0',
  'and, or, not': `return { (nil or 1), (false and 1) or 2, (0 and 3), ('' and 4), (1 == 1) and 5 or 6, (not nil) and 7, tostring(nil and nil), tostring(false or nil), 1 ~= '1' and 8 }`,
  'order of strings': `return { 'a' < 'b' and 1 or 0, 'Z' < 'a' and 1 or 0, 'é' > 'z' and 1 or 0, 'ab' <= 'ab' and 1 or 0, '10' < '9' and 1 or 0, 2 >= 1 and 1 or 0, 'b' > 'a' and 1 or 0 }`,
  'a comparison of two types': `return 1 < '2'`,
  'length and holes': `local t = { 1, 2, nil, 4 }; local u = { 1, 2, 3 }; u[#u] = nil; u[#u + 1] = 'x'
    local v = {}; v[3] = 3; v[2] = 2; v[1] = 1; return { #t, #u, u[3], #v, #'é', #'', #{ nil }, #{ n = 1 } }`,
  'several values': `local function two() return 1, 2 end; local function none() end; local function all(...) return select('#', ...), ... end
    local a, b, c = two(); local d, e = (two()); local t = { two(), two() }; local n = { none(), two() }
    return { a, b, tostring(c), d, tostring(e), #t, #n, (select('#', none())), (all(two(), two())), (select(2, 'x', 'y')), select(-1, 'p', 'q') }`,
  'an assignment of several': `local a, b = 1, 2; a, b = b, a; local t = { 1, 2 }; local i = 1; i, t[i] = i + 1, 20; return { a, b, i, t[1], t[2] }`,
  closures: `local fs = {}; for i = 1, 3 do local j = i * 10; fs[i] = function() j = j + 1; return i + j end end; return { fs[1](), fs[1](), fs[3]() }`,
  'local functions that call themselves': `local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end return fib(12)`,
  'names that JavaScript keeps': `local class, new, this, var, default = 1, 2, 3, 4, 5; local t = { constructor = 6, __proto__ = 7, toString = 8 }
    return { class, new, this, var, default, t.constructor, t.__proto__, t['toString'], tostring(t.hasOwnProperty) }`,
  loops: `local out = {}; for i = 10, 1, -4 do out[#out + 1] = i end; for i = 1, 0 do out[#out + 1] = 'no' end; for i = 1, 2, 0.5 do out[#out + 1] = tostring(i) end
    local n = 0; while true do n = n + 1; if n > 3 then break end end; repeat local last = n; n = n - 1 until last < 3; out[#out + 1] = n
    do local n = 100; out[#out + 1] = n end; out[#out + 1] = n; return out`,
  'pairs and next': `local sum, count = 0, 0; for k, v in pairs({ 10, 20, x = 30, [100] = 40 }) do sum = sum + v; count = count + 1 end
    local t = { a = 1, b = 2 }; for k in pairs(t) do t[k] = nil end; for i, v in ipairs({ 1, nil, 3 }) do count = count + 100 end
    return { sum, count, tostring(next(t)), tostring(next({})), next({ 5 }) }`,
  'table functions': `local t = { 'b', 'c' }; table.insert(t, 1, 'a'); table.insert(t, 'd'); local gone = table.remove(t, 2); local last = table.remove(t)
    return { table.concat(t, '-'), gone, last, table.getn(t), table.concat({ 1, 2.5 }), unpack({ 1, 2, 3 }, 2) }`,
  'string functions': `return { string.sub('lighthouse', 2, 4), string.sub('light', -2), string.sub('light', 0), string.sub('light', 4, 2), string.sub('é', 1, 1), ('x'), string.upper('aé'), string.lower('AB'),
    string.rep('ab', 3), string.len('é'), string.find('a.b', '.', 1, true), string.find('abc', 'c'), tostring(string.find('abc', 'x')), tostring(string.find('abc', 'a', 2)) }`,
  'long text and escapes': `return { [[a
b]], 'tab\\tquote\\'\\65', "\\"é\\"", [==[x]]y]==] }`,
  types: `return { type(nil), type(1), type('x'), type({}), type(1 == 1), type(cjson.null), type(tonumber), type(redis.call('GET', 'none')) }`,
  'what a command answers': `redis.call('HSET', 'h', 'a', 1); return { type(redis.call('HGET', 'h', 'x')), redis.call('HMGET', 'h', 'a', 'x', 'a')[3], redis.call('SET', 'k', 1).ok, redis.call('TYPE', 'h').ok, redis.call('TYPE', 'h') }`,
  'status and error': `redis.call('SET', 'k', 1); return { redis.status_reply('fine'), { ok = 'good' }, redis.pcall('HGET', 'k', 'f').err, redis.sha1hex('abc') }`,
  'an error that is answered': `return redis.error_reply('MINE it is so')`,
  'an error that is thrown by a command': `redis.call('SET', 's', 1); return redis.call('HGET', 's', 'f')`,
  'an error that is caught': `redis.call('SET', 's', 1); local ok, e = pcall(redis.call, 'HGET', 's', 'f'); local ok2, e2 = pcall(error, 'mine'); local ok3, e3 = pcall(error, { code = 7 }); return { tostring(ok), e, e2, e3.code, (pcall(function() return 1 end)) and 1 }`,
  'an error that is thrown as a table': `error({ err = 'OWN trouble' })`,
  'too few arguments for a command': `return redis.call('GET')`,
  'a table as an argument': `return redis.call('ECHO', {})`,
  'no arguments': 'return redis.call()',
  'too many values': 'local t = {}; for i = 1, 9000 do t[i] = i end; return #{ unpack(t) }',
  'many values': `local t = {}; for i = 1, 7000 do t[i] = 'm' .. i end; redis.call('SADD', 'many', unpack(t)); return redis.call('SCARD', 'many')`,
  'json that is read': `local d = cjson.decode('{"a":[1,2.5,-3e2],"b":{"c":null,"d":true,"e":false},"f":"\\\\u00e9\\\\n\\\\/é","g":[],"h":"","__proto__":1,"1":2}')
    return { #d.a, d.a[2] * 2, d.a[3], d.b.c == cjson.null and 1 or 0, tostring(d.b.d), tostring(d.b.e), d.f, #d.f, #d.g, d.h, d.__proto__, d['1'], tostring(d[1]) }`,
  'json that is no json': `local out = {}; for _, text in ipairs({ '', '{', '[1,]', '{"a"}', 'nul', '"x' }) do out[#out + 1] = tostring((pcall(cjson.decode, text))) end; return out`,
  'json that is written': `return { cjson.encode({}), cjson.encode({ 1, 'x', true, cjson.null }), cjson.encode({ a = { b = {} } }), cjson.encode('é/"\\\\\\n\\1\\127'), cjson.encode(1.5), cjson.encode({ nil, 2 }), cjson.encode({ [5] = 1 }),
    cjson.encode(cjson.decode('[{"a":1.0}]')), tostring((pcall(cjson.encode, { [1] = 1, [1000] = 2 }))), tostring((pcall(cjson.encode, 1/0))), cjson.encode({ [1.5] = 1 }) }`,
  'text that is no script': 'local x = = 1',
  'a block without an end': 'if true then return 1',
  'what binds how strongly': `return { 2 + 3 * 4 ^ 2 / 2, -2 ^ 2, 2 ^ -1, 2 ^ 3 ^ 2, 1 .. 2 .. 3, not nil == true and 1 or 0, not (1 == 2) and 1, 10 - 3 - 2, 1 or 2 and 3, 7 - -3, #'ab' + 1, (2 + 3) * 4, 5 % 3 * 2, 'a' .. 1 + 2 == 'a3' and 1 }`,
  'comments and semicolons': `-- one line
    --[[ of
    several ]] local a = 1; --[==[ ]] ]==] local b = { 1; 2, x = 3; }; return { a, #b, b.x } -- the end`,
  'what scripts may not change': 'math.pi = 3',
};

/** An error without the line, and without what Lua says of the expression. */
const shown = (reply: unknown): unknown =>
  reply instanceof Error
    ? `-${reply.message
        .replace(/ script: .*$/s, '')
        .replace(/user_script(:\d+)?:/, 'user_script:')
        .replace(/\w+ '\w+' \((a \w+ value)\)/, '$1')}`
    : reply;

test.each(Object.entries(SCRIPTS))('when a script uses %s then it answers as in Redis', async (_, body) => {
  const simulation = new SimulatedRedis({ clock: { now: Date.now } });
  const answer = (() => {
    try {
      return plain(simulation.execute('EVAL', [toBytes(`#!lua\n${body}`), '0']));
    } catch (error) {
      if (error instanceof ReplyError) return error;
      throw error;
    }
  })();
  await redis.flushall();
  expect(shown(answer)).toEqual(shown(await redis.eval(`#!lua\n${body}`, 0).catch((error: unknown) => error)));
});
