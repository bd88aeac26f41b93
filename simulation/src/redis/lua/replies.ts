import { type Reply, Status } from '../commands/command.ts';
import { ReplyError } from '../errors.ts';
import { formatG } from '../numbers.ts';
import { LuaError, LuaTable, type LuaValue } from './values.ts';

/** What a command has answered, as Lua sees it: nothing is `false`, a status a table. */
export function toLua(reply: Reply): LuaValue {
  if (typeof reply === 'string' || typeof reply === 'number') return reply;
  if (reply === null) return false;
  if (reply instanceof Status) return table('ok', reply.text);
  if (reply instanceof ReplyError) return table('err', reply.message);
  return new LuaTable((reply as readonly Reply[]).map(toLua));
}

export const table = (name: string, text: LuaValue): LuaTable => new LuaTable([], new Map([[name, text]]));

/** What does not fit into an integer of Redis becomes the smallest one. */
const LARGEST = 2 ** 63;

/** What a script has answered, as a client sees it: a number loses its fraction, a list ends at the first nil. */
export function fromLua(value: LuaValue): Reply {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Math.abs(value) < LARGEST ? Math.trunc(value) + 0 : -LARGEST;
  if (value === true) return 1;
  if (!(value instanceof LuaTable)) return null;
  const [err, ok] = [value.get('err'), value.get('ok')];
  if (typeof err === 'string') return new ReplyError(err.replace(/^-/, ''));
  if (typeof ok === 'string') return new Status(ok.replace(/[\r\n]/g, ' '));
  const items: Reply[] = [];
  for (const item of value.items) {
    if (item === undefined) break;
    items.push(fromLua(item));
  }
  return items;
}

/** Has what redis.call is given become texts: numbers with all their digits. */
export function toTexts(values: LuaValue[]): string[] {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value !== 'string') values[i] = commandText(value);
  }
  return values as string[];
}

function commandText(value: LuaValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatG(value, 17);
  throw new LuaError(table('err', 'ERR Lua redis lib command arguments must be strings or integers'));
}
