import { expect, test } from 'vitest';
import type { Moment } from './data/store.ts';
import { NotModelled } from './errors.ts';
import { SimulatedRedis } from './server.ts';

function start() {
  let now = 1_800_000_000_000;
  const redis = new SimulatedRedis({ clock: { now: () => now } });
  const run = (line: string) => {
    const [name = '', ...args] = line.split(' ');
    return redis.execute(name, args);
  };
  const script = (flags: string, body: string) => redis.execute('EVAL', [`#!lua ${flags}\n${body}`, '0']);
  return { redis, run, script, moveClock: (ms: number) => (now += ms) };
}

const FILL = [
  'SET text one',
  'HSET hash a 1 b 2 c 3',
  'RPUSH list x y z',
  'SADD set m n',
  'ZADD zset 1 m 2 n',
  'XADD stream 1-1 f v',
  'PEXPIRE hash 5000',
];

test('when a moment is returned to then everything is as it was, the order of fields and what has expired too', () => {
  const { redis, run, moveClock } = start();
  for (const line of FILL) run(line);
  const before = redis.fingerprint();
  const fields = run('HGETALL hash');
  const moment = redis.snapshot();
  for (const line of ['SET text two', 'HDEL hash a', 'HSET hash a 4 d 5', 'LPUSH list w', 'LTRIM list 1 1', 'SREM set m n'])
    run(line);
  for (const line of ['ZADD zset 3 m', 'ZREM zset n', 'XADD stream 2-1 f v', 'XTRIM stream MAXLEN 1', 'RENAME list text'])
    run(line);
  moveClock(6000);
  expect(run('EXISTS hash set list')).toBe(0);
  expect(redis.fingerprint()).not.toBe(before);
  redis.rollback(moment);
  moveClock(-6000);
  expect(redis.fingerprint()).toBe(before);
  expect(run('HGETALL hash')).toEqual(fields);
  expect(run('XADD stream 1-2 f v')).toBe('1-2');
});

test('when there are several moments then each can be returned to, the newest first, and not one that was forgotten', () => {
  const { redis, run } = start();
  const moments: Moment[] = [];
  for (let i = 0; i < 4; i++) {
    moments.push(redis.snapshot());
    run('INCR n');
  }
  redis.rollback(moments[3] as Moment);
  expect(run('GET n')).toBe('3');
  redis.forget(moments[1] as Moment);
  redis.rollback(moments[1] as Moment);
  expect(run('GET n')).toBe('1');
  expect(() => redis.rollback(moments[0] as Moment)).toThrow(RangeError);
  expect(() => redis.rollback(moments[3] as Moment)).toThrow(RangeError);
});

test('when the same content came about in another order then its fingerprint is the same, and another for any other content', () => {
  const [one, other] = [start(), start()];
  for (const line of FILL) one.run(line);
  for (const line of [...FILL].reverse()) other.run(line);
  expect(other.redis.fingerprint()).not.toBe(one.redis.fingerprint());
  other.run('PEXPIRE hash 5000');
  expect(other.redis.fingerprint()).toBe(one.redis.fingerprint());
  const fingerprints = ['HSET hash a 2', 'PERSIST hash', 'ZADD zset 2 m', 'LPUSH list x', 'SREM set m', 'DEL text'].map(
    (line) => {
      one.run(line);
      return one.redis.fingerprint();
    },
  );
  expect(new Set([other.redis.fingerprint(), ...fingerprints]).size).toBe(7);
});

const OOM = /^OOM command not allowed when used memory > 'maxmemory'\.$/;

test('when Redis is full then what grows is refused, and scripts that do not say that they may run anyway, before they begin', () => {
  const { redis, run, script } = start();
  run('SET a 1');
  redis.condition.full = true;
  expect(() => run('SET b 1')).toThrow(OOM);
  expect(() => script('', 'return 1')).toThrow(OOM);
  expect(script('flags=no-writes', 'return redis.call("GET", "a")')).toBe('1');
  expect(script('flags=allow-oom', 'return redis.call("INCR", "a")')).toBe(2);
  expect(run('DEL a')).toBe(1);
  const plain = (body: string) => redis.execute('EVAL', [body, '0']);
  expect(() => plain('return redis.call("SET", "a", 1)')).toThrow(/^OOM .* script: /);
  expect(plain('redis.call("DEL", "a") redis.call("SET", "a", 1) return 1')).toBe(1);
  expect(String(run('INFO'))).toContain('used_memory:104857601\r\n');
});

test('when Redis is a replica or loading then it answers as such', () => {
  const { redis, run, script } = start();
  run('SET a 1');
  redis.condition.readOnly = true;
  expect(() => run('SET a 2')).toThrow("READONLY You can't write against a read only replica.");
  expect(() => script('flags=allow-oom', 'return 1')).toThrow(/^READONLY/);
  expect([run('GET a'), script('flags=no-writes', 'return 1')]).toEqual(['1', 1]);
  Object.assign(redis.condition, { readOnly: false, loading: true });
  expect(() => run('GET a')).toThrow('LOADING Redis is loading the dataset in memory');
  expect(String(run('INFO'))).toContain('loading:1');
});

test('when Redis restarts then its keys are there, and digests of scripts are not, unless they are to be kept', () => {
  const { redis, run } = start();
  const sha = String(redis.execute('SCRIPT', ['LOAD', 'return redis.call("GET", "a")']));
  run('SET a 1');
  redis.restart({ scripts: 'keep' });
  expect(run(`EVALSHA ${sha} 0`)).toBe('1');
  redis.restart();
  expect(() => run(`EVALSHA ${sha} 0`)).toThrow('NOSCRIPT No matching script. Please use EVAL.');
  expect(run('GET a')).toBe('1');
});

test('when a script or a caller asks for what is not modelled then nobody can take it for an answer of Redis', () => {
  const { redis, run } = start();
  expect(() => run('GEOADD a 1 1 x')).toThrow(NotModelled);
  expect(() => run('XADD s MINID 1 2-1 f v')).toThrow(NotModelled);
  for (const body of ['return pcall(redis.call, "GEOADD", "a")', 'return os.time()', 'return pcall(string.gsub, "a", "b", "c")'])
    expect(() => redis.execute('EVAL', [body, '0'])).toThrow(NotModelled);
});

test('when keys are scanned while others come and go then each that was there all the time is found once', () => {
  const { redis, run } = start();
  for (let i = 0; i < 30; i++) run(`SET k${i} v`);
  const found: string[] = [];
  let cursor = '0';
  do {
    const [next, keys] = redis.execute('SCAN', [cursor, 'MATCH', 'k*', 'COUNT', '7']) as [string, string[]];
    found.push(...keys);
    run(`DEL k${found.length - 1}`);
    run(`SET new${found.length} v`);
    cursor = next;
  } while (cursor !== '0');
  expect(found).toEqual(Array.from({ length: 30 }, (_, i) => `k${i}`));
});
