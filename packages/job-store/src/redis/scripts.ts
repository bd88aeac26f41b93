import { Command, type Redis } from 'ioredis';
import { type Given, inOrder, type Script } from './define-script.ts';

/**
 * Runs a script by its digest; a Redis that does not know it (a restart) gets the text. `paid`: what it writes is paid for, so a script
 * that asks for it runs on a full Redis too.
 */
export type RunScript = <K extends string, A extends string>(
  script: Script<K, A>,
  keys: Given<K, string>,
  args: Given<A, string | number>,
  o?: { paid?: boolean },
) => Promise<unknown>;

export function createScripts(redis: Redis): RunScript {
  return async ({ texts, keys: keyNames, args: argNames }, keys, args, o = {}) => {
    const { sha, text } = o.paid ? texts.paid : texts.usual;
    const first = (keys as Record<string, string>)[keyNames[0] ?? ''] ?? '';
    const given = inOrder<string | number>(keyNames, keys, first);
    const call = [given.length, ...given, ...inOrder<string | number>(argNames, args, '')];
    try {
      return await send(redis, 'evalsha', [sha, ...call]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await send(redis, 'eval', [text, ...call]);
    }
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
