import { toText } from '../bytes.ts';
import { type Reply, Status } from '../commands/command.ts';

/** A reply as ioredis gives it: text, numbers, null, lists; an error stands where it is within a list. */
export function plain(reply: Reply): unknown {
  if (typeof reply === 'string') return toText(reply);
  if (reply instanceof Status) return reply.text;
  return Array.isArray(reply) ? reply.map(plain) : reply;
}

/** What ioredis makes of the answers of some commands, by the name as it was sent. */
const SHAPES: Readonly<Record<string, (reply: unknown) => unknown>> = {
  hgetall: (reply) => {
    if (!Array.isArray(reply)) return reply;
    const fields: [string, unknown][] = [];
    for (let i = 0; i < reply.length; i += 2) fields.push([String(reply[i]), reply[i + 1]]);
    return Object.fromEntries(fields);
  },
};

export const shaped = (name: string, reply: Reply): unknown => SHAPES[name]?.(plain(reply)) ?? plain(reply);
