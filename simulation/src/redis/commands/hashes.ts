import type { Bytes } from '../bytes.ts';
import type { Entry } from '../data/values.ts';
import { NotModelled, ReplyError, wrongArity } from '../errors.ts';
import { at, checkCount, checkCursor, integer, sum } from './arguments.ts';
import { type Commands, type Database, grows, OK, type Reply, read, write } from './command.ts';

/** Fields of a hash that Redis keeps as one list: hash-max-listpack-entries, as it is without configuration. */
const SMALL = 512;

const NONE: ReadonlyMap<Bytes, Bytes> = new Map();

const fieldsAt = (db: Database, key: Bytes): ReadonlyMap<Bytes, Bytes> => db.store.get(key, 'hash')?.value.fields ?? NONE;

/** Sets fields of a list of field, value, …; answers how many are new. */
function setAll(db: Database, args: readonly Bytes[], command: string): number {
  if (args.length % 2 === 0) throw wrongArity(command);
  const entry = db.store.getOrMake(at(args, 0), 'hash');
  let added = 0;
  for (let i = 1; i < args.length; i += 2) if (db.store.setField(entry, at(args, i), at(args, i + 1))) added++;
  return added;
}

function remove(db: Database, args: readonly Bytes[]): number {
  const entry = db.store.get(at(args, 0), 'hash');
  if (entry === undefined) return 0;
  let removed = 0;
  for (let i = 1; i < args.length; i++) if (db.store.removeField(entry, at(args, i))) removed++;
  if (entry.value.fields.size === 0) db.store.remove(entry as unknown as Entry);
  return removed;
}

const hashValueIsNoInteger = () => new ReplyError('ERR hash value is not an integer');

function increase(db: Database, args: readonly Bytes[]): number {
  const by = integer(at(args, 2));
  const entry = db.store.get(at(args, 0), 'hash');
  const before = entry?.value.fields.get(at(args, 1)) ?? '0';
  const total = sum(integer(before, hashValueIsNoInteger), by);
  db.store.setField(entry ?? db.store.make(at(args, 0), 'hash'), at(args, 1), String(total));
  return total;
}

function flat(fields: ReadonlyMap<Bytes, Bytes>): Bytes[] {
  const list: Bytes[] = [];
  for (const [field, text] of fields) list.push(field, text);
  return list;
}

/** Small hashes are answered at once, whatever the count is. Where a page of a larger one ends is a matter of chance. */
function scan(db: Database, args: readonly Bytes[]): Reply {
  checkCursor(args);
  const fields = fieldsAt(db, at(args, 0));
  if (fields === NONE) return ['0', []];
  checkCount('HSCAN', args);
  if (fields.size > SMALL) throw new NotModelled('HSCAN of a large hash');
  return ['0', flat(fields)];
}

export const HASHES: Commands = {
  HSET: grows(-4, (db, args) => setAll(db, args, 'hset')),
  HMSET: grows(-4, (db, args) => {
    setAll(db, args, 'hmset');
    return OK;
  }),
  HSETNX: grows(4, (db, args) => {
    const entry = db.store.get(at(args, 0), 'hash');
    if (entry?.value.fields.has(at(args, 1))) return 0;
    db.store.setField(entry ?? db.store.make(at(args, 0), 'hash'), at(args, 1), at(args, 2));
    return 1;
  }),
  HGET: read(3, (db, args) => fieldsAt(db, at(args, 0)).get(at(args, 1)) ?? null),
  HMGET: read(-3, (db, args) => {
    const fields = fieldsAt(db, at(args, 0));
    const found: (Bytes | null)[] = [];
    for (let i = 1; i < args.length; i++) found.push(fields.get(at(args, i)) ?? null);
    return found;
  }),
  HGETALL: read(2, (db, args) => flat(fieldsAt(db, at(args, 0)))),
  HDEL: write(-3, remove),
  HEXISTS: read(3, (db, args) => (fieldsAt(db, at(args, 0)).has(at(args, 1)) ? 1 : 0)),
  HLEN: read(2, (db, args) => fieldsAt(db, at(args, 0)).size),
  HKEYS: read(2, (db, args) => [...fieldsAt(db, at(args, 0)).keys()]),
  // By chance in Redis: of all of them, or the first ones, it is as good as any.
  HRANDFIELD: read(-2, (db, args) => {
    if (args.length !== 2) throw new NotModelled('HRANDFIELD of one field, or with values');
    const most = integer(at(args, 1));
    if (most < 0) throw new NotModelled('HRANDFIELD that answers a field twice');
    return [...fieldsAt(db, at(args, 0)).keys()].slice(0, most);
  }),
  HVALS: read(2, (db, args) => [...fieldsAt(db, at(args, 0)).values()]),
  HSTRLEN: read(3, (db, args) => (fieldsAt(db, at(args, 0)).get(at(args, 1)) ?? '').length),
  HINCRBY: grows(4, increase),
  HSCAN: read(-3, scan),
};
