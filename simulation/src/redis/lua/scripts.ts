import { createHash } from 'node:crypto';
import type { Bytes } from '../bytes.ts';
import { LIBRARY, luaText, thrownValue } from './library.ts';
import { table } from './replies.ts';
import { readScript, type Script } from './script.ts';
import { first, LuaTable, type LuaValue } from './values.ts';

/** What `redis.call` of a running script reaches. */
export type CallRedis = (values: readonly LuaValue[]) => LuaValue;

/**
 * Scripts by their text, each compiled once. Compiling is no part of what is simulated: servers that come one after another share them, so
 * that V8 knows the code well by the time of the second.
 */
export class Scripts {
  readonly #byText = new Map<Bytes, Script>();
  readonly #globals: ReadonlyMap<string, LuaValue>;
  #call: CallRedis | null = null;

  constructor() {
    const call: CallRedis = (values) => {
      if (this.#call === null) throw new Error('no script is running');
      return this.#call(values);
    };
    this.#globals = new Map([...LIBRARY, ['redis', redisLibrary(call)]]);
  }

  /** Reads a script, whether or not a server knows it. */
  read(text: Bytes): Script {
    let script = this.#byText.get(text);
    if (script === undefined) {
      script = readScript(text, sha1(text), this.#globals);
      this.#byText.set(text, script);
    }
    return script;
  }

  /** Runs a script to its end over the server that `call` belongs to. */
  run(script: Script, keys: LuaTable, argv: LuaTable, call: CallRedis): LuaValue {
    this.#call = call;
    try {
      return first(script.start(keys, argv)());
    } finally {
      this.#call = null;
    }
  }
}

const sha1 = (text: Bytes): string => createHash('sha1').update(text, 'latin1').digest('hex');

function redisLibrary(call: CallRedis): LuaTable {
  const reply = (name: 'ok' | 'err') => (text: LuaValue) => {
    if (typeof text !== 'string') return table('err', 'wrong number or type of arguments');
    return table(name, name === 'err' ? text.replace(/^-/, '').replace(/[\r\n]/g, ' ') : text);
  };
  const pcall = (...args: LuaValue[]) => {
    try {
      return call(args);
    } catch (error) {
      const value = thrownValue(error);
      return value instanceof LuaTable ? value : table('err', value);
    }
  };
  return new LuaTable(
    [],
    new Map<LuaValue, LuaValue>([
      ['call', (...args: LuaValue[]) => call(args)],
      ['pcall', pcall],
      ['error_reply', reply('err')],
      ['status_reply', reply('ok')],
      ['sha1hex', (text: LuaValue) => sha1(typeof text === 'string' ? text : luaText(text))],
      ['log', () => []],
      ...['LOG_DEBUG', 'LOG_VERBOSE', 'LOG_NOTICE', 'LOG_WARNING'].map((name, i): [LuaValue, LuaValue] => [name, i]),
    ]),
  );
}
