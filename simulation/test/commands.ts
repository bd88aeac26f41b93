import fc from 'fast-check';

/** A command as it is sent: its name and its arguments. */
export type Sent = readonly [name: string, ...args: string[]];

const KEYS = ['a', 'b', 'c', '{t}:d'] as const;

const key = fc.constantFrom(...KEYS);
const text = fc.constantFrom('', 'x', 'y', '1', '10', '-3', 'lighthouse', 'é', '3.5', ' 1');
const field = fc.constantFrom('f', 'g', 'h', '1', 'ü');
const member = fc.constantFrom('m', 'n', 'o', '1', '2', 'mm', 'ö');
const whole = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -4, max: 6 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('x', '', '1.5', '007', '+1', '-0', '9223372036854775808', '1e3', ' 1') },
);
const score = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -2, max: 5 }).map(String) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('0.1', '2.5', '1e3', '1.7e308', '123456789012', '1800000000000', '-0.000001', '3.0', '1e-7'),
  },
  { weight: 1, arbitrary: fc.constantFrom('inf', '-inf', '+inf', 'nan', 'x', '', '0x10', '1_0', '+5') },
);
const bound = fc.oneof(
  { weight: 4, arbitrary: score },
  { weight: 1, arbitrary: score.map((each) => `(${each}`) },
  { weight: 1, arbitrary: fc.constantFrom('-inf', '+inf') },
);
const lexBound = fc.constantFrom('-', '+', '[m', '(m', '[n', '(o', '[', 'm', '');
/** So far away that the test is over before. */
const farSeconds = fc.constantFrom('1000', '5000', '0', '-1', 'x');
const farMs = fc.constantFrom('1000000', '5000000', '0', '-5', '1.5');
const id = fc.constantFrom('1-1', '1-2', '2-0', '2-5', '3', '5-*', '2-*', '9-9', '0-0', 'x', '1-', '-1-1');
const idEnd = fc.oneof(id, fc.constantFrom('-', '+', '(1-1', '(2', '(0-0', '(9-9'));
const exact = (...words: string[]) => fc.constantFrom(...words);

type Part = fc.Arbitrary<string | readonly string[]>;

const some = (part: fc.Arbitrary<string>, max = 3): Part => fc.array(part, { minLength: 1, maxLength: max });
const options = (...choices: readonly (readonly string[] | fc.Arbitrary<readonly string[]>)[]): Part =>
  fc
    .array(
      fc.oneof(...choices.map((each) => (Array.isArray(each) ? fc.constant(each) : (each as fc.Arbitrary<readonly string[]>)))),
      {
        maxLength: 2,
      },
    )
    .map((chosen) => chosen.flat());
const pairs = (a: fc.Arbitrary<string>, b: fc.Arbitrary<string>): Part =>
  fc.array(fc.tuple(a, b), { minLength: 1, maxLength: 3 }).map((list) => list.flat());
const expiry = options(['NX'], ['XX'], ['GT'], ['lt']);
const limit = fc.tuple(whole, whole).map(([offset, count]) => ['LIMIT', offset, count]);
const count = whole.map((each) => ['COUNT', each]);
const maybe = (part: fc.Arbitrary<readonly string[]>): Part => fc.option(part, { nil: [] });

/** How each command that the simulation knows is asked, rightly and nearly so. */
const FORMS: Readonly<Record<string, readonly (readonly Part[])[]>> = {
  GET: [[key]],
  SET: [
    [
      key,
      text,
      options(
        ['NX'],
        ['xx'],
        ['GET'],
        ['KEEPTTL'],
        farSeconds.map((s) => ['EX', s]),
        farMs.map((ms) => ['PX', ms]),
      ),
    ],
  ],
  SETNX: [[key, text]],
  SETEX: [[key, farSeconds, text]],
  PSETEX: [[key, farMs, text]],
  GETDEL: [[key]],
  MGET: [[some(key)]],
  MSET: [[pairs(key, text)]],
  STRLEN: [[key]],
  APPEND: [[key, text]],
  INCR: [[key]],
  DECR: [[key]],
  INCRBY: [[key, whole]],
  DECRBY: [[key, whole]],
  DEL: [[some(key)]],
  UNLINK: [[some(key)]],
  EXISTS: [[some(key)]],
  TYPE: [[key]],
  EXPIRE: [[key, farSeconds, expiry]],
  PEXPIRE: [[key, farMs, expiry]],
  PERSIST: [[key]],
  PTTL: [[key]],
  TTL: [[key]],
  RENAME: [[key, key]],
  KEYS: [[exact('*', 'a', '?', '[ab]', '[^a]', '{t}:*', '\\a', 'x*')]],
  DBSIZE: [[]],
  HSET: [
    [key, pairs(field, text)],
    [key, some(field)],
  ],
  HMSET: [[key, pairs(field, text)]],
  HSETNX: [[key, field, text]],
  HGET: [[key, field]],
  HMGET: [[key, some(field)]],
  HGETALL: [[key]],
  HDEL: [[key, some(field)]],
  HEXISTS: [[key, field]],
  HLEN: [[key]],
  HKEYS: [[key]],
  HRANDFIELD: [[key, whole]],
  HVALS: [[key]],
  HSTRLEN: [[key, field]],
  HINCRBY: [[key, field, whole]],
  HSCAN: [[key, exact('0', '7'), exact('COUNT', 'count'), whole]],
  RPUSH: [[key, some(text)]],
  LPUSH: [[key, some(text)]],
  LPOP: [[key], [key, whole]],
  RPOP: [[key], [key, whole]],
  LLEN: [[key]],
  LRANGE: [[key, whole, whole]],
  LINDEX: [[key, whole]],
  LREM: [[key, whole, text]],
  LTRIM: [[key, whole, whole]],
  SADD: [[key, some(member)]],
  SREM: [[key, some(member)]],
  SMEMBERS: [[key]],
  SISMEMBER: [[key, member]],
  SCARD: [[key]],
  ZADD: [
    [key, pairs(score, member)],
    [key, options(['NX'], ['XX'], ['GT'], ['lt'], ['CH']), pairs(score, member)],
    [key, options(['INCR'], ['XX'], ['GT'], ['LT']), score, member],
  ],
  ZINCRBY: [[key, score, member]],
  ZREM: [[key, some(member)]],
  ZSCORE: [[key, member]],
  ZMSCORE: [[key, some(member)]],
  ZCARD: [[key]],
  ZSCAN: [[key, exact('0', '7'), exact('COUNT', 'count'), whole]],
  ZCOUNT: [[key, bound, bound]],
  ZRANGE: [
    [key, whole, whole, options(['REV'], ['WITHSCORES'])],
    [key, bound, bound, exact('BYSCORE'), options(['REV'], ['WITHSCORES'], limit)],
    [key, lexBound, lexBound, exact('BYLEX'), options(['REV'], ['WITHSCORES'], limit)],
    [key, whole, whole, limit],
  ],
  ZREVRANGE: [[key, whole, whole, options(['WITHSCORES'])]],
  ZRANGEBYSCORE: [[key, bound, bound, options(['WITHSCORES'], limit)]],
  ZREVRANGEBYSCORE: [[key, bound, bound, options(['withscores'], limit)]],
  ZRANGEBYLEX: [[key, lexBound, lexBound, options(limit)]],
  ZRANK: [[key, member]],
  ZREVRANK: [[key, member]],
  ZPOPMIN: [[key], [key, whole]],
  ZPOPMAX: [[key], [key, whole]],
  ZREMRANGEBYSCORE: [[key, bound, bound]],
  ZREMRANGEBYRANK: [[key, whole, whole]],
  XADD: [
    [key, id, pairs(field, text)],
    [key, options(['NOMKSTREAM'], ['MAXLEN', '2'], ['MAXLEN', '~', '1'], ['MAXLEN', '=', '-1']), id, pairs(field, text)],
  ],
  XLEN: [[key]],
  XRANGE: [[key, idEnd, idEnd, maybe(count)]],
  XREVRANGE: [[key, idEnd, idEnd, maybe(count)]],
  XREAD: [
    [maybe(count), exact('STREAMS'), key, id],
    [exact('STREAMS'), key, key, id, id],
    [exact('STREAMS'), key, key, id],
  ],
  XDEL: [[key, some(id)]],
  XTRIM: [
    [key, exact('MAXLEN'), whole],
    [key, exact('MAXLEN'), exact('~', '='), whole],
  ],
  PING: [[], [text]],
  ECHO: [[text]],
  PUBLISH: [[text, text]],
};

const formed = (name: string, parts: readonly Part[]): fc.Arbitrary<Sent> =>
  fc.tuple(...parts).map((chosen): Sent => [name, ...chosen.flat()]);

/** Everything that a caller can do, and each hundredth command with an argument too few or one too many. */
const command: fc.Arbitrary<Sent> = fc
  .tuple(
    fc.oneof(...Object.entries(FORMS).flatMap(([name, forms]) => forms.map((parts) => formed(name, parts)))),
    fc.integer({ min: 0, max: 99 }),
  )
  .map(([[name, ...args], odd]): Sent => {
    if (odd === 0) return [name.toLowerCase(), ...args.slice(0, -1)];
    return odd === 1 ? [name, ...args, 'more'] : [name, ...args];
  });

/** What asks for all that stands in Redis. */
const LOOK: readonly Sent[] = [
  ['KEYS', '*'],
  ...KEYS.flatMap((each): Sent[] => [
    ['TYPE', each],
    ['PTTL', each],
    ['GET', each],
    ['HGETALL', each],
    ['LRANGE', each, '0', '-1'],
    ['SMEMBERS', each],
    ['ZRANGE', each, '0', '-1', 'WITHSCORES'],
    ['XRANGE', each, '-', '+'],
  ]),
];

export const commands = (most: number): fc.Arbitrary<readonly Sent[]> =>
  fc.array(command, { minLength: 1, maxLength: most, size: 'max' }).map((list) => [...list, ...LOOK]);
