import { createHash } from 'node:crypto';
import { KEPT_ENTRIES } from '@grsai-jobs/queue/port';
import { defineScript, inOrder, luaTable, type RunScript, readLua, type Script } from '@grsai-jobs/redis';
import type { SimulatedClient } from '../redis/client/client.ts';

const { age, count } = KEPT_ENTRIES.removeOnFail;
const SHARED = [luaTable('KEPT', { age_ms: age * 1000, count }), readLua(new URL('./lua/queue.lua', import.meta.url))];

const KEYS = ['wait', 'prioritized', 'delayed', 'active', 'failed', 'meta', 'limiter', 'counter', 'schedule', 'entry'] as const;

const file = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);
const common = { keys: KEYS, shared: SHARED, whenFull: 'fails' } as const;
/** What is asked of a take, also when an entry is left and its slot takes the next one. */
const TAKE = ['now', 'lockMs', 'limited'] as const;

export const ADD = defineScript({ ...common, lua: file('add'), args: ['now', '...entries'] });
export const TAKE_ONE = defineScript({ ...common, lua: file('take'), args: [...TAKE, 'token'] });
export const LEAVE = defineScript({ ...common, lua: file('leave'), args: [...TAKE, 'next', 'id', 'token', 'as', 'detail'] });
export const THROTTLE = defineScript({ ...common, lua: file('throttle'), args: ['id', 'token', 'ms'] });
export const RENEW = defineScript({ ...common, lua: file('renew'), args: ['lockMs', '...held'] });
export const STALLED = defineScript({ ...common, keys: [...KEYS, 'check'], lua: file('stalled'), args: ['stalledMs'] });
export const WAKE = defineScript({ ...common, lua: file('wake'), args: ['id'] });
export const READY = defineScript({ ...common, lua: file('ready') });
export const SCHEDULE = defineScript({ ...common, lua: file('schedule'), args: ['now', '...rules'] });

const KEY_NAMES = [...KEYS, 'check'] as const;
export type QueueKeys = Readonly<Record<(typeof KEY_NAMES)[number], string>>;

/** The keys of a queue; of an entry, what its id is put behind. */
export const keysOf = (base: string): QueueKeys =>
  ({ ...Object.fromEntries(KEY_NAMES.map((name) => [name, base + name])), entry: base }) as QueueKeys;

interface Text {
  readonly text: string;
  readonly sha: string;
}

/** As BullMQ's scripts these declare no flags; see queue.lua. */
function textOf({ behind }: Script): Text {
  const text = behind('');
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** Runs them by their digest over the connection of one process. */
export function queueScripts(redis: SimulatedClient): RunScript {
  const texts = new Map<unknown, Text>();
  return async (script, keys, args) => {
    let known = texts.get(script);
    if (known === undefined) {
      known = textOf(script);
      texts.set(script, known);
    }
    const call = [script.keys.length, ...inOrder(script.keys, keys, ''), ...inOrder<string | number>(script.args, args, '')];
    try {
      return await redis.evalsha(known.sha, ...call);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await redis.eval(known.text, ...call);
    }
  };
}
