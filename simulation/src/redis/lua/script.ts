import type { Bytes } from '../bytes.ts';
import { ReplyError } from '../errors.ts';
import { compileLua, type Environment } from './compile.ts';
import type { LuaFunction, LuaTable } from './values.ts';

const FLAGS = ['no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'] as const;
type ScriptFlag = (typeof FLAGS)[number];

/** A script that is ready to run. */
export interface Script {
  readonly sha: string;
  /** What its first line declares; `null`: it has none, and each of its commands is judged by itself. */
  readonly flags: ReadonlySet<ScriptFlag> | null;
  /** Of one run, with its KEYS and ARGV. */
  readonly start: (keys: LuaTable, argv: LuaTable) => LuaFunction;
}

/** @throws {ReplyError} as Redis does for a script that it does not take. */
export function readScript(text: Bytes, sha: string, environment: Environment): Script {
  const [, shebang = null, rest = ''] = /^(#![^\n]*)?(.*)$/s.exec(text) ?? [];
  const flags = shebang === null ? null : flagsOf(shebang);
  try {
    return { sha, flags, start: compileLua(rest, environment) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ReplyError(`ERR Error compiling script (new function): user_script:${error.message}`);
  }
}

function flagsOf(shebang: string): ReadonlySet<ScriptFlag> {
  const [engine = '', ...options] = shebang.slice(2).trim().split(/ +/);
  if (engine !== 'lua') throw new ReplyError(`ERR Unexpected engine in script shebang: #!${engine}`);
  const flags = new Set<ScriptFlag>();
  for (const option of options) {
    const [, names] = /^flags=(.*)$/.exec(option) ?? [];
    if (names === undefined) throw new ReplyError(`ERR Unknown lua shebang option: ${option}`);
    for (const name of names.split(',').filter((each) => each !== '')) {
      if (!isFlag(name)) throw new ReplyError(`ERR Unexpected flag in script shebang: ${name}`);
      flags.add(name);
    }
  }
  return flags;
}

const isFlag = (name: string): name is ScriptFlag => (FLAGS as readonly string[]).includes(name);
