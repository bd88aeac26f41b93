import type { Bytes } from '../bytes.ts';
import type { Entry } from '../data/values.ts';
import { ReplyError } from '../errors.ts';
import { at, integer, rangeOf } from './arguments.ts';
import { type Commands, type Database, grows, OK, type Reply, read, write } from './command.ts';

const itemsAt = (db: Database, key: Bytes): readonly Bytes[] => db.store.get(key, 'list')?.value.items ?? [];

function push(db: Database, args: readonly Bytes[], end: 'left' | 'right'): number {
  const entry = db.store.getOrMake(at(args, 0), 'list');
  for (let i = 1; i < args.length; i++) db.store.push(entry, end, at(args, i));
  return entry.value.items.length;
}

/** What is left of a list; an empty one is gone. */
function replace(db: Database, entry: Entry<'list'>, items: Bytes[]): void {
  if (items.length === 0) db.store.remove(entry as unknown as Entry);
  else db.store.replaceItems(entry, items);
}

function pop(db: Database, args: readonly Bytes[], end: 'left' | 'right'): Reply {
  const many = args.length > 1;
  if (args.length > 2) throw new ReplyError(`ERR wrong number of arguments for '${end === 'left' ? 'lpop' : 'rpop'}' command`);
  const count = many ? integer(at(args, 1), () => new ReplyError('ERR value is out of range, must be positive')) : 1;
  if (count < 0) throw new ReplyError('ERR value is out of range, must be positive');
  const entry = db.store.get(at(args, 0), 'list');
  if (entry === undefined) return null;
  if (count === 0) return [];
  const { items } = entry.value;
  const taken = end === 'left' ? items.slice(0, count) : items.slice(-count).reverse();
  replace(db, entry, end === 'left' ? items.slice(count) : items.slice(0, Math.max(0, items.length - count)));
  return many ? taken : at(taken, 0);
}

function removeItems(db: Database, args: readonly Bytes[]): number {
  const count = integer(at(args, 1));
  const entry = db.store.get(at(args, 0), 'list');
  if (entry === undefined) return 0;
  let left = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count);
  const items = count < 0 ? [...entry.value.items].reverse() : [...entry.value.items];
  const kept = items.filter((item) => item !== at(args, 2) || left-- <= 0);
  const removed = items.length - kept.length;
  if (removed > 0) replace(db, entry, count < 0 ? kept.reverse() : kept);
  return removed;
}

export const LISTS: Commands = {
  RPUSH: grows(-3, (db, args) => push(db, args, 'right')),
  LPUSH: grows(-3, (db, args) => push(db, args, 'left')),
  LPOP: write(-2, (db, args) => pop(db, args, 'left')),
  RPOP: write(-2, (db, args) => pop(db, args, 'right')),
  LLEN: read(2, (db, args) => itemsAt(db, at(args, 0)).length),
  LRANGE: read(4, (db, args) => {
    const [start, stop] = [integer(at(args, 1)), integer(at(args, 2))];
    const items = itemsAt(db, at(args, 0));
    return items.slice(...rangeOf(items.length, start, stop));
  }),
  LINDEX: read(3, (db, args) => {
    const entry = db.store.get(at(args, 0), 'list');
    return entry === undefined ? null : (entry.value.items.at(integer(at(args, 1))) ?? null);
  }),
  LREM: write(4, removeItems),
  LTRIM: write(4, (db, args) => {
    const [start, stop] = [integer(at(args, 1)), integer(at(args, 2))];
    const entry = db.store.get(at(args, 0), 'list');
    if (entry === undefined) return OK;
    const { items } = entry.value;
    const kept = items.slice(...rangeOf(items.length, start, stop));
    if (kept.length < items.length) replace(db, entry, kept);
    return OK;
  }),
};

const NONE: ReadonlySet<Bytes> = new Set();

const membersAt = (db: Database, key: Bytes): ReadonlySet<Bytes> => db.store.get(key, 'set')?.value.members ?? NONE;

export const SETS: Commands = {
  SADD: grows(-3, (db, args) => {
    const entry = db.store.getOrMake(at(args, 0), 'set');
    return args.slice(1).filter((member) => db.store.addMember(entry, member)).length;
  }),
  SREM: write(-3, (db, args) => {
    const entry = db.store.get(at(args, 0), 'set');
    if (entry === undefined) return 0;
    const removed = args.slice(1).filter((member) => db.store.removeMember(entry, member)).length;
    if (entry.value.members.size === 0) db.store.remove(entry as unknown as Entry);
    return removed;
  }),
  SMEMBERS: read(2, (db, args) => [...membersAt(db, at(args, 0))]),
  SISMEMBER: read(3, (db, args) => (membersAt(db, at(args, 0)).has(at(args, 1)) ? 1 : 0)),
  SCARD: read(2, (db, args) => membersAt(db, at(args, 0)).size),
};
