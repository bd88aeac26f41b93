import { createHash } from 'node:crypto';
import { Command } from 'ioredis';
import type { Redis } from './client.ts';
import { type Given, inOrder, type Script, type SharedLua } from './define-script.ts';
import type { Lasting } from './lasting.ts';
import { createPrimary, type Primary } from './primary.ts';

interface RunOptions {
  /** What it writes is paid for, so a script that asks for it runs on a full Redis too. */
  paid?: boolean;
  /** Whether what this call writes has to last; by default as its script says. */
  lasts?: boolean;
}

/**
 * Runs a script by its digest; a Redis that does not know it (a restart, another primary) gets the text.
 * @throws `NotLasting` with its reply when it `lasts`, has run, and it is not known whether what it wrote will be there.
 */
export type RunScript = <K extends string, A extends string>(
  script: Script<K, A>,
  keys: Given<K, string>,
  args: Given<A, string | number>,
  o?: RunOptions,
) => Promise<unknown>;

/** Lua that every script may use: one that reads only, and one that writes. It gets what it needs of it in front of its own. */
export interface LuaLibrary {
  readonly reads: SharedLua;
  readonly writes: SharedLua;
}

/** A script as Redis gets it, and the digest that names it there. */
interface ScriptText {
  readonly text: string;
  readonly sha: string;
}

/** What is sent; `paid` for calls that may write on a full Redis because their change is paid for. */
interface ScriptTexts {
  readonly usual: ScriptText;
  readonly paid: ScriptText;
}

/**
 * Its first line says for which primary it is, so that no other knows it by its digest: a script never runs where its caller has not seen who
 * answers. Lua has that as `PRIMARY`.
 */
function textsOf({ behind, whenFull }: Script, library: LuaLibrary, primary: string): ScriptTexts {
  const body = behind(whenFull === 'reads' ? library.reads : library.writes);
  const textOf = (shebang: string): ScriptText => {
    const text = `${shebang}\nlocal PRIMARY = '${primary}'\n${body}`;
    return { text, sha: createHash('sha1').update(text).digest('hex') };
  };
  if (whenFull === 'reads') {
    const noWrites = textOf('#!lua flags=no-writes');
    return { usual: noWrites, paid: noWrites };
  }
  const [plain, allowOom] = [textOf('#!lua'), textOf('#!lua flags=allow-oom')];
  return { usual: whenFull === 'runs' ? allowOom : plain, paid: whenFull === 'fails' ? plain : allowOom };
}

/** So often in a row no primary changes while one script runs. */
const MOST_CHANGES = 5;

/** What the script did is not known. */
class PrimaryChanged extends Error {
  override name = 'PrimaryChanged';
}

export interface ScriptsOptions {
  /** Left out: as INFO says. */
  primary?: Primary;
  /** Left out: what was written lasts as long as it does. */
  lasting?: Lasting;
}

export function createScripts(redis: Redis, library: LuaLibrary, o: ScriptsOptions = {}): RunScript {
  const primary = o.primary ?? createPrimary(redis);
  let known = new Map<unknown, ScriptTexts>();
  let of = '';
  const textOf = (script: Script, identity: string, paid: boolean | undefined): ScriptText => {
    if (of !== identity) {
      known = new Map();
      of = identity;
    }
    let texts = known.get(script);
    if (texts === undefined) {
      texts = textsOf(script, library, identity);
      known.set(script, texts);
    }
    return paid ? texts.paid : texts.usual;
  };

  /**
   * The primary does not know the script: it is told, in the name of who it is. Answers in whose name it has run. One that takes its place
   * meanwhile would know the script by the name of the one before and run it unseen, so it forgets all scripts and is told once more:
   * each of them may run twice, as when an answer is lost.
   */
  async function tell(script: Script, call: (string | number)[], paid: boolean | undefined): Promise<[unknown, string]> {
    for (let n = 1; ; n += 1) {
      const identity = await primary.ask();
      const reply = await send(redis, 'eval', [textOf(script, identity, paid).text, ...call]);
      if ((await primary.ask()) === identity) return [reply, identity];
      await redis.sendCommand(new Command('script', ['flush']));
      if (n === MOST_CHANGES) throw new PrimaryChanged('Redis changes its primary again and again');
    }
  }

  return async (script, keys, args, { paid, lasts = script.lasts } = {}) => {
    const first = (keys as Record<string, string>)[script.keys[0] ?? ''] ?? '';
    const given = inOrder<string | number>(script.keys, keys, first);
    const call = [given.length, ...given, ...inOrder<string | number>(script.args, args, '')];
    let identity = await primary.identity();
    let reply: unknown;
    try {
      reply = await send(redis, 'evalsha', [textOf(script, identity, paid).sha, ...call]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      [reply, identity] = await tell(script, call, paid);
    }
    if (lasts && o.lasting !== undefined)
      await o.lasting(identity, reply).catch(async (error: unknown) => {
        // It may be called otherwise by now: whoever writes again has to mean the one that is there.
        await primary.ask().catch(() => undefined);
        throw error;
      });
    return reply;
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
