import type { Bytes } from '../bytes.ts';
import type { Entry } from '../data/values.ts';
import { ReplyError, syntaxError, wrongArity, wrongType } from '../errors.ts';
import { at, integer, sum } from './arguments.ts';
import { type Commands, type Database, grows, OK, type Reply, read, write } from './command.ts';

const textAt = (db: Database, key: Bytes): Bytes | null => db.store.get(key, 'string')?.value.text ?? null;

/** A value takes the place of whatever stood there, with its time to live. */
function put(db: Database, key: Bytes, text: Bytes, expiresAt: number | null): void {
  const there = db.store.find(key);
  const fits = there?.value.type === 'string';
  if (there !== undefined && !fits) db.store.remove(there);
  const entry = fits ? (there as unknown as Entry<'string'>) : db.store.make(key, 'string');
  db.store.setText(entry, text);
  if (entry.expiresAt !== expiresAt) db.store.expire(entry as unknown as Entry, expiresAt);
}

/** When something ends that ends in, or at, so many seconds or milliseconds. */
function endsAt(db: Database, option: 'EX' | 'PX' | 'EXAT' | 'PXAT', text: Bytes, command: string): number {
  const given = integer(text);
  const ms = option.startsWith('E') ? given * 1000 : given;
  const end = option.endsWith('AT') ? ms : db.now() + ms;
  if (given <= 0 || !Number.isSafeInteger(end)) throw new ReplyError(`ERR invalid expire time in '${command}' command`);
  return end;
}

interface SetOptions {
  only?: 'NX' | 'XX';
  get?: boolean;
  keepTtl?: boolean;
  ends?: { option: 'EX' | 'PX' | 'EXAT' | 'PXAT'; text: Bytes };
}

function setOptions(args: readonly Bytes[]): SetOptions {
  const options: SetOptions = {};
  for (let i = 2; i < args.length; i++) {
    const name = at(args, i).toUpperCase();
    if ((name === 'NX' || name === 'XX') && (options.only ?? name) === name) options.only = name;
    else if (name === 'GET') options.get = true;
    else if (name === 'KEEPTTL' && options.ends === undefined) options.keepTtl = true;
    else if (isEnd(name) && (options.ends?.option ?? name) === name && !options.keepTtl && i + 1 < args.length)
      options.ends = { option: name, text: at(args, ++i) };
    else throw syntaxError();
  }
  return options;
}

const isEnd = (name: string): name is 'EX' | 'PX' | 'EXAT' | 'PXAT' => ['EX', 'PX', 'EXAT', 'PXAT'].includes(name);

function set(db: Database, args: readonly Bytes[]): Reply {
  const [key, text] = [at(args, 0), at(args, 1)];
  const options = setOptions(args);
  const ends = options.ends === undefined ? null : endsAt(db, options.ends.option, options.ends.text, 'set');
  const there = db.store.find(key);
  if (options.get && there !== undefined && there.value.type !== 'string') throw wrongType();
  const before = options.get ? textAt(db, key) : null;
  if (options.only !== undefined && (options.only === 'XX') !== (there !== undefined)) return before;
  put(db, key, text, options.keepTtl ? (there?.expiresAt ?? null) : ends);
  return options.get ? before : OK;
}

/** A new key has no time to live; one that is there keeps its own. */
function keep(db: Database, key: Bytes, text: Bytes): void {
  db.store.setText(db.store.getOrMake(key, 'string'), text);
}

function add(db: Database, key: Bytes, by: number): number {
  const total = sum(integer(textAt(db, key) ?? '0'), by);
  keep(db, key, String(total));
  return total;
}

export const STRINGS: Commands = {
  GET: read(2, (db, args) => textAt(db, at(args, 0))),
  SET: grows(-3, set),
  SETNX: grows(3, (db, args) => {
    if (db.store.find(at(args, 0)) !== undefined) return 0;
    put(db, at(args, 0), at(args, 1), null);
    return 1;
  }),
  SETEX: grows(4, (db, args) => {
    put(db, at(args, 0), at(args, 2), endsAt(db, 'EX', at(args, 1), 'setex'));
    return OK;
  }),
  PSETEX: grows(4, (db, args) => {
    put(db, at(args, 0), at(args, 2), endsAt(db, 'PX', at(args, 1), 'psetex'));
    return OK;
  }),
  GETDEL: write(2, (db, args) => {
    const entry = db.store.get(at(args, 0), 'string');
    if (entry === undefined) return null;
    db.store.remove(entry as unknown as Entry);
    return entry.value.text;
  }),
  MGET: read(-2, (db, args) =>
    args.map((key) => {
      const value = db.store.find(key)?.value;
      return value?.type === 'string' ? value.text : null;
    }),
  ),
  MSET: grows(-3, (db, args) => {
    if (args.length % 2 === 1) throw wrongArity('mset');
    for (let i = 0; i < args.length; i += 2) put(db, at(args, i), at(args, i + 1), null);
    return OK;
  }),
  STRLEN: read(2, (db, args) => (textAt(db, at(args, 0)) ?? '').length),
  APPEND: grows(3, (db, args) => {
    const text = (textAt(db, at(args, 0)) ?? '') + at(args, 1);
    keep(db, at(args, 0), text);
    return text.length;
  }),
  INCR: grows(2, (db, args) => add(db, at(args, 0), 1)),
  DECR: grows(2, (db, args) => add(db, at(args, 0), -1)),
  INCRBY: grows(3, (db, args) => {
    const by = integer(at(args, 1));
    return add(db, at(args, 0), by);
  }),
  DECRBY: grows(3, (db, args) => {
    const by = integer(at(args, 1));
    return add(db, at(args, 0), -by);
  }),
};
