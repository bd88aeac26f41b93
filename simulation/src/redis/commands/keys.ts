import type { Bytes } from '../bytes.ts';
import { NotModelled, ReplyError, syntaxError } from '../errors.ts';
import { at, integer } from './arguments.ts';
import { type Commands, type Database, OK, type Reply, read, Status, write } from './command.ts';
import { globOf } from './glob.ts';

function remove(db: Database, keys: readonly Bytes[]): number {
  let removed = 0;
  for (const key of keys) {
    const entry = db.store.find(key);
    if (entry === undefined) continue;
    db.store.remove(entry);
    removed++;
  }
  return removed;
}

/** Whether the new end may take the place of the one that a key has. No end counts as one that never comes. */
const MAY_REPLACE: Readonly<Record<string, (before: number | null, end: number) => boolean>> = {
  NX: (before) => before === null,
  XX: (before) => before !== null,
  GT: (before, end) => before !== null && end > before,
  LT: (before, end) => before === null || end < before,
};

const FIT_TOGETHER = new Set(['XX GT', 'GT XX', 'XX LT', 'LT XX']);

const NO_OPTIONS: readonly string[] = [];

function expireOptions(args: readonly Bytes[], command: string): readonly string[] {
  if (args.length === 2) return NO_OPTIONS;
  const options = args.slice(2).map((option) => option.toUpperCase());
  for (const option of options)
    if (MAY_REPLACE[option] === undefined)
      throw new ReplyError(`ERR Unsupported option ${at(args, 2 + options.indexOf(option))}`);
  const different = [...new Set(options)];
  if (different.includes('NX') && different.length > 1)
    throw new ReplyError('ERR NX and XX, GT or LT options at the same time are not compatible');
  if (different.includes('GT') && different.includes('LT'))
    throw new ReplyError('ERR GT and LT options at the same time are not compatible');
  if (different.length === 2 && !FIT_TOGETHER.has(different.join(' ')))
    throw new NotModelled(`${command} ${different.join(' ')}`);
  return different;
}

/** PEXPIRE and the others: `unit` in ms, counted from `base`. */
function expire(db: Database, args: readonly Bytes[], command: string, unit: number, base: number): Reply {
  const options = expireOptions(args, command);
  const given = integer(at(args, 1));
  const end = base + given * unit;
  if (!Number.isSafeInteger(end)) throw new ReplyError(`ERR invalid expire time in '${command}' command`);
  const entry = db.store.find(at(args, 0));
  if (entry === undefined) return 0;
  if (!options.every((option) => MAY_REPLACE[option]?.(entry.expiresAt, end))) return 0;
  if (end <= db.now()) db.store.remove(entry);
  else db.store.expire(entry, end);
  return 1;
}

/** Ms that are left, as TTL and PTTL answer: -2 without a key, -1 for one that stays. */
function left(db: Database, key: Bytes): number {
  const entry = db.store.find(key);
  if (entry === undefined) return -2;
  return entry.expiresAt === null ? -1 : entry.expiresAt - db.now();
}

/** The cursor is the id of the last key that was answered: keys that are there all the time are all found. */
function scan(db: Database, args: readonly Bytes[]): Reply {
  if (!/^\d+$/.test(at(args, 0))) throw new ReplyError('ERR invalid cursor');
  const cursor = Number(at(args, 0));
  let [count, fits, type] = [10, (_: Bytes) => true, ''];
  for (let i = 1; i < args.length; i += 2) {
    const name = at(args, i).toUpperCase();
    if (i + 1 >= args.length) throw syntaxError();
    if (name === 'MATCH') fits = globOf(at(args, i + 1));
    else if (name === 'TYPE') type = at(args, i + 1).toLowerCase();
    else if (name === 'COUNT') {
      count = integer(at(args, i + 1));
      if (count < 1) throw syntaxError();
    } else throw syntaxError();
  }
  const behind = db.store.all().filter(({ id }) => id > cursor);
  const page = behind.slice(0, count);
  const found = page.filter(({ key, value }) => fits(key) && (type === '' || value.type === type)).map(({ key }) => key);
  return [behind.length > count ? String(page.at(-1)?.id) : '0', found];
}

function rename(db: Database, args: readonly Bytes[]): Reply {
  const entry = db.store.find(at(args, 0));
  if (entry === undefined) throw new ReplyError('ERR no such key');
  if (at(args, 0) !== at(args, 1)) db.store.rename(entry, at(args, 1));
  return OK;
}

export const KEYS: Commands = {
  DEL: write(-2, remove),
  UNLINK: write(-2, remove),
  EXISTS: read(-2, (db, args) => args.filter((key) => db.store.find(key) !== undefined).length),
  TYPE: read(2, (db, args) => new Status(db.store.find(at(args, 0))?.value.type ?? 'none')),
  EXPIRE: write(-3, (db, args) => expire(db, args, 'expire', 1000, db.now())),
  PEXPIRE: write(-3, (db, args) => expire(db, args, 'pexpire', 1, db.now())),
  EXPIREAT: write(-3, (db, args) => expire(db, args, 'expireat', 1000, 0)),
  PEXPIREAT: write(-3, (db, args) => expire(db, args, 'pexpireat', 1, 0)),
  PERSIST: write(2, (db, args) => {
    const entry = db.store.find(at(args, 0));
    if (entry === undefined || entry.expiresAt === null) return 0;
    db.store.expire(entry, null);
    return 1;
  }),
  PTTL: read(2, (db, args) => left(db, at(args, 0))),
  TTL: read(2, (db, args) => {
    const ms = left(db, at(args, 0));
    return ms < 0 ? ms : Math.floor((ms + 500) / 1000);
  }),
  RENAME: write(3, rename),
  KEYS: read(2, (db, args) => {
    const fits = globOf(at(args, 0));
    return db.store.all().flatMap(({ key }) => (fits(key) ? [key] : []));
  }),
  SCAN: read(-2, scan),
  DBSIZE: read(1, (db) => db.store.all().length),
  FLUSHALL: write(-1, flush),
  FLUSHDB: write(-1, flush),
};

function flush(db: Database): Reply {
  for (const entry of db.store.all()) db.store.remove(entry);
  return OK;
}
