import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endOfValue, RedisCommand, RespSplitter } from './resp.ts';

const encode = (words: readonly string[]): Buffer =>
  Buffer.from(`*${words.length}\r\n${words.map((w) => `$${Buffer.byteLength(w)}\r\n${w}\r\n`).join('')}`);

describe('endOfValue', () => {
  test.each([
    '+OK\r\n',
    '-ERR no\r\n',
    ':12\r\n',
    '$-1\r\n',
    '*-1\r\n',
    '$0\r\n\r\n',
    '$5\r\na\r\nb\n\r\n',
    '*0\r\n',
    '*2\r\n*1\r\n:1\r\n$1\r\nx\r\n',
    '_\r\n',
    ',1.5\r\n',
    '#t\r\n',
    '%1\r\n+k\r\n*1\r\n:1\r\n',
    '~2\r\n:1\r\n:2\r\n',
    '>2\r\n+message\r\n+x\r\n',
    '=7\r\ntxt:abc\r\n',
    '|1\r\n+ttl\r\n:1\r\n:7\r\n',
  ])('finds the end of %j, and none in any shorter piece of it', (text) => {
    const whole = Buffer.from(text);
    expect(endOfValue(Buffer.concat([whole, Buffer.from('+NEXT\r\n')]), 0)).toBe(whole.length);
    for (let cut = 0; cut < whole.length; cut += 1) expect(endOfValue(whole.subarray(0, cut), 0)).toBe(-1);
  });
});

describe('RespSplitter', () => {
  test('commands come out the same however the bytes were cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string(), { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
        fc.array(fc.nat(40)),
        (commands, cuts) => {
          const bytes = Buffer.concat(commands.map(encode));
          const splitter = new RespSplitter();
          const seen: Buffer[] = [];
          let at = 0;
          for (const cut of cuts) {
            seen.push(...splitter.push(bytes.subarray(at, at + cut)));
            at += cut;
          }
          seen.push(...splitter.push(bytes.subarray(at)));
          const words = seen.map((b) => new RedisCommand(b)).map((c) => [c.name, ...c.args]);
          expect(words).toEqual(commands.map(([name = '', ...args]) => [name.toLowerCase(), ...args]));
        },
      ),
    );
  });

  test('an inline command is understood', () => {
    const [bytes = Buffer.alloc(0)] = new RespSplitter().push(Buffer.from('PING hello\r\n'));
    expect(new RedisCommand(bytes)).toMatchObject({ name: 'ping', args: ['hello'] });
  });
});
