import { createHash } from 'node:crypto';
import { Command, type Redis } from 'ioredis';
import { BRAKE_LUA } from '../operator/brakes.ts';
import { ATTEMPTS_LUA } from '../webhook/endpoints.ts';
import { MAKE_DELIVERY } from '../webhook/new-delivery.ts';
import { type Given, inOrder, readLua, type Script } from './define-script.ts';

/** One Lua file, with what it shares with others behind its shebang line. */
interface ScriptText {
  readonly text: string;
  readonly sha: string;
}

const lua = (file: string) => readLua(new URL(`../${file}.lua`, import.meta.url));

/** What some scripts share behind the prelude. */
const SHARED: Readonly<Partial<Record<string, () => string>>> = {
  move: () => MOVE_KEYS + MAKE_DELIVERY + ATTEMPTS_LUA,
  begin: () => BRAKE_LUA,
};

/** The names that shared Lua uses, until `move` is declared like the other scripts. */
const MOVE_KEYS = `local K = { ${[
  'delivery = KEYS[9]',
  'tenant_deliveries = KEYS[10]',
  'due_deliveries = KEYS[11]',
  'pending_deliveries = KEYS[18]',
  'endpoint = KEYS[19]',
  'open_attempts = KEYS[20]',
  'room = KEYS[21]',
  'host = KEYS[22]',
  'rooms = KEYS[23]',
  'deliver_pauses = KEYS[24]',
].join(', ')} }\n`;

function load(folder: string, name: string): ScriptText {
  const own = lua(`${folder}/${name}`);
  const shebang = own.slice(0, own.indexOf('\n') + 1);
  const shared = SHARED[name]?.() ?? '';
  const text = `${shebang}${lua('redis/prelude')}${shared}${own.slice(shebang.length)}`;
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** Every script by the folder that it stands in, beside the TypeScript that runs it. */
const SCRIPTS = {
  job: ['accept', 'begin', 'move', 'keep-task', 'erase', 'erasing'],
} as const;
type ScriptName = (typeof SCRIPTS)[keyof typeof SCRIPTS][number];

/** Runs a script by its digest; a Redis that does not know it (a restart) gets the text. */
export interface RunScript {
  /** `paid`: what it writes is paid for, so a script that asks for it runs on a full Redis too. */
  <K extends string, A extends string>(
    script: Script<K, A>,
    keys: Given<K, string>,
    args: Given<A, string | number>,
    o?: { paid?: boolean },
  ): Promise<unknown>;
  (name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}

export function createScripts(redis: Redis): RunScript {
  const scripts = Object.fromEntries(
    Object.entries(SCRIPTS).flatMap(([folder, names]) => names.map((name) => [name, load(folder, name)])),
  ) as Record<ScriptName, ScriptText>;
  async function evaluate({ sha, text }: ScriptText, keys: readonly (string | number)[], args: readonly (string | number)[]) {
    const given = [keys.length, ...keys, ...args];
    try {
      return await send(redis, 'evalsha', [sha, ...given]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await send(redis, 'eval', [text, ...given]);
    }
  }
  return (script: Script | ScriptName, keys: object, args: object, o: { paid?: boolean } = {}) => {
    if (typeof script === 'string') return evaluate(scripts[script], keys as string[], args as string[]);
    const { texts, keys: keyNames, args: argNames } = script;
    const first = (keys as Record<string, string>)[keyNames[0] ?? ''] ?? '';
    return evaluate(o.paid ? texts.paid : texts.usual, inOrder(keyNames, keys, first), inOrder(argNames, args, ''));
  };
}

/**
 * V8 allocates a function of each command of ioredis as old, and with it everything that the command holds stays in memory
 * until a full collection: so its arguments, which may be a MiB, are taken from it when it has its answer.
 */
async function send(redis: Redis, name: 'eval' | 'evalsha', args: (string | number)[]): Promise<unknown> {
  const command = new Command(name, args, { replyEncoding: 'utf8' });
  try {
    return await redis.sendCommand(command);
  } finally {
    command.args = [];
  }
}
