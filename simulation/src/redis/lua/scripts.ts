import { createHash } from 'node:crypto';
import type { Bytes } from '../bytes.ts';
import type { CommandSpec } from '../commands/command.ts';
import { COMMANDS } from '../commands/index.ts';
import { NotModelled } from '../errors.ts';
import type { Environment } from './compile.ts';
import { LIBRARY, luaText, thrownValue } from './library.ts';
import { table, toTexts } from './replies.ts';
import { readScript, type Script } from './script.ts';
import { first, LuaError, LuaTable, type LuaValue } from './values.ts';

/** Runs a command of a running script. */
export type RunCommand = (command: CommandSpec, args: readonly Bytes[]) => LuaValue;

const nothingRuns: RunCommand = () => {
  throw new Error('no script is running');
};

const commandNamed = (name: string): CommandSpec | undefined => COMMANDS.get(name) ?? COMMANDS.get(name.toUpperCase());

/**
 * Scripts by their text, each compiled once. Compiling is no part of what is simulated: servers that come one after another share them, so
 * that V8 knows the code well by the time of the second.
 */
export class Scripts {
  readonly #byText = new Map<Bytes, Script>();
  readonly #environment: Environment;
  #run: RunCommand = nothingRuns;

  constructor() {
    this.#environment = {
      globals: new Map([...LIBRARY, ['redis', redisLibrary((command, args) => this.#run(command, args))]]),
      command: (name) => {
        const command = commandNamed(name);
        return command && ((args) => this.#run(command, toTexts(args)));
      },
    };
  }

  /** Reads a script, whether or not a server knows it. */
  read(text: Bytes): Script {
    let script = this.#byText.get(text);
    if (script === undefined) {
      script = readScript(text, sha1(text), this.#environment);
      this.#byText.set(text, script);
    }
    return script;
  }

  /** Runs a script to its end over the server that runs its commands. */
  run(script: Script, keys: LuaTable, argv: LuaTable, run: RunCommand): LuaValue {
    this.#run = run;
    try {
      return first(script.start(keys, argv)());
    } finally {
      this.#run = nothingRuns;
    }
  }
}

const sha1 = (text: Bytes): string => createHash('sha1').update(text, 'latin1').digest('hex');

function redisLibrary(run: RunCommand): LuaTable {
  const call = (...values: LuaValue[]) => {
    const [name, ...args] = toTexts(values);
    if (name === undefined) throw new LuaError(table('err', 'ERR Please specify at least one argument for this redis lib call'));
    const command = commandNamed(name);
    if (command === undefined) throw new NotModelled(`the command ${name} in a script`);
    return run(command, args);
  };
  const reply = (name: 'ok' | 'err') => (text: LuaValue) => {
    if (typeof text !== 'string') return table('err', 'wrong number or type of arguments');
    return table(name, name === 'err' ? text.replace(/^-/, '').replace(/[\r\n]/g, ' ') : text);
  };
  const pcall = (...args: LuaValue[]) => {
    try {
      return call(...args);
    } catch (error) {
      const value = thrownValue(error);
      return value instanceof LuaTable ? value : table('err', value);
    }
  };
  return new LuaTable(
    [],
    new Map<LuaValue, LuaValue>([
      ['call', call],
      ['pcall', pcall],
      ['error_reply', reply('err')],
      ['status_reply', reply('ok')],
      ['sha1hex', (text: LuaValue) => sha1(typeof text === 'string' ? text : luaText(text))],
      ['log', () => []],
      ...['LOG_DEBUG', 'LOG_VERBOSE', 'LOG_NOTICE', 'LOG_WARNING'].map((name, i): [LuaValue, LuaValue] => [name, i]),
    ]),
  );
}
