import type { Bytes } from '../bytes.ts';
import type { Entry, StreamEntry, StreamValue } from '../data/values.ts';
import { NotModelled, ReplyError, syntaxError, wrongArity } from '../errors.ts';
import { at, integer } from './arguments.ts';
import { type Commands, type Database, grows, type Reply, read, write } from './command.ts';

interface Id {
  readonly ms: number;
  readonly seq: number;
}

const FIRST: Id = { ms: 0, seq: 0 };
/** Redis' own is 2^64 - 1; no id of a clock comes near. */
const LAST: Id = { ms: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER };
/** Redis removes whole nodes of its tree when it may trim about; in this version one holds so many entries, or 4096 bytes. */
const NODE_ENTRIES = 100;

const isAfter = (a: Id, b: Id): boolean => a.ms > b.ms || (a.ms === b.ms && a.seq > b.seq);
const idText = ({ ms, seq }: Id): Bytes => `${ms}-${seq}`;

const invalidId = (): ReplyError => new ReplyError('ERR Invalid stream ID specified as stream command argument');

/** An id; one without a number behind the dash gets `seq`. */
function idOf(text: Bytes, seq: number): Id {
  const [, ms = '', , own] = /^(\d+)(-(\d+))?$/.exec(text) ?? [];
  if (ms === '') throw invalidId();
  const id = { ms: Number(ms), seq: own === undefined ? seq : Number(own) };
  if (!Number.isSafeInteger(id.ms) || !Number.isSafeInteger(id.seq)) throw new NotModelled(`the stream id ${text}`);
  return id;
}

const next = ({ ms, seq }: Id): Id => ({ ms, seq: seq + 1 });

/** The id that `*` or `<ms>-*` becomes. */
function newId(text: Bytes, now: number, last: Id): Id {
  if (text === '*') return now > last.ms ? { ms: now, seq: 0 } : next(last);
  const ms = Number(text.slice(0, -2));
  return ms === last.ms ? next(last) : { ms, seq: 0 };
}

/** How a stream is trimmed: MAXLEN alone is modelled. */
interface Trim {
  readonly most: number;
  readonly about: boolean;
}

/** Reads `MAXLEN [=|~] count` at `from`; answers where it goes on. */
function trimOf(args: readonly Bytes[], from: number): { trim: Trim; from: number } {
  if (at(args, from).toUpperCase() !== 'MAXLEN') throw new NotModelled(`trimming a stream by ${at(args, from)}`);
  const sign = at(args, from + 1);
  const given = sign === '~' || sign === '=';
  const most = integer(at(args, from + (given ? 2 : 1)));
  if (most < 0) throw new ReplyError('ERR The MAXLEN argument must be >= 0.');
  return { trim: { most, about: sign === '~' }, from: from + (given ? 3 : 2) };
}

function trimmed(db: Database, entry: Entry<'stream'>, { most, about }: Trim): number {
  const { entries } = entry.value;
  let removed = 0;
  if (about) {
    let node = Math.min(NODE_ENTRIES, entries.length);
    for (; node > 0 && entries.length - removed - node >= most; node = Math.min(NODE_ENTRIES, entries.length - removed))
      removed += node;
  } else removed = entries.length - most;
  if (removed <= 0) return 0;
  db.store.replaceEntries(entry, entries.slice(removed));
  return removed;
}

interface AddOptions {
  readonly makes: boolean;
  readonly trim: Trim | null;
  /** Where the id stands. */
  readonly from: number;
}

function addOptions(args: readonly Bytes[]): AddOptions {
  let o: AddOptions = { makes: true, trim: null, from: 1 };
  for (;;) {
    const name = at(args, o.from).toUpperCase();
    if (name === 'NOMKSTREAM') o = { ...o, makes: false, from: o.from + 1 };
    else if (name === 'LIMIT') throw new NotModelled('XADD LIMIT');
    else if (name !== 'MAXLEN' && name !== 'MINID') return o;
    else if (o.trim !== null)
      throw new ReplyError('ERR syntax error, MAXLEN and MINID options at the same time are not compatible');
    else o = { ...o, ...trimOf(args, o.from) };
  }
}

const isPartial = (id: Bytes): boolean => id === '*' || /^\d+-\*$/.test(id);

function add(db: Database, args: readonly Bytes[]): Reply {
  const { makes, trim, from } = addOptions(args);
  const id = at(args, from);
  const fields = args.slice(from + 1);
  if (from >= args.length) throw wrongArity('xadd');
  const given = isPartial(id) ? null : idOf(id, 0);
  if (fields.length === 0 || fields.length % 2 === 1) throw wrongArity('xadd');
  if (given?.ms === 0 && given.seq === 0) throw new ReplyError('ERR The ID specified in XADD must be greater than 0-0');
  const there = db.store.get(at(args, 0), 'stream');
  if (there === undefined && !makes) return null;
  const last = there?.value.last ?? FIRST;
  const made = given ?? newId(id, db.now(), last);
  if (!isAfter(made, last))
    throw new ReplyError('ERR The ID specified in XADD is equal or smaller than the target stream top item');
  const entry = there ?? db.store.make(at(args, 0), 'stream');
  db.store.append(entry, { ...made, fields });
  if (trim !== null) trimmed(db, entry, trim);
  return idText(made);
}

/** Index of the first entry that is not before `id`. */
function firstFrom({ entries }: StreamValue, id: Id): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAfter(id, entries[middle] as StreamEntry)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const shown = (entries: readonly StreamEntry[]): Reply => entries.map((entry) => [idText(entry), entry.fields]);

/** An end of XRANGE: `-`, `+`, an id, or `(` and an id. */
function endOf(text: Bytes, end: 'min' | 'max'): { id: Id; open: boolean } {
  if (text === '-') return { id: FIRST, open: false };
  if (text === '+') return { id: LAST, open: false };
  const open = text.startsWith('(');
  return { id: idOf(open ? text.slice(1) : text, end === 'min' ? 0 : LAST.seq), open };
}

function range(db: Database, args: readonly Bytes[], reversed: boolean): Reply {
  const [low, high] = reversed ? [at(args, 2), at(args, 1)] : [at(args, 1), at(args, 2)];
  const [min, max] = [endOf(low, 'min'), endOf(high, 'max')];
  if (max.open && max.id.ms === 0 && max.id.seq === 0) throw new ReplyError('ERR invalid end ID for the interval');
  let count = Number.POSITIVE_INFINITY;
  for (let i = 3; i < args.length; i += 2) {
    if (at(args, i).toUpperCase() !== 'COUNT' || i + 1 >= args.length) throw syntaxError();
    count = Math.max(0, integer(at(args, i + 1)));
  }
  const stream = db.store.get(at(args, 0), 'stream')?.value;
  if (stream === undefined) return [];
  if (count === 0) return null;
  const from = firstFrom(stream, min.open ? next(min.id) : min.id);
  const to = firstFrom(stream, max.open ? max.id : next(max.id));
  const found = stream.entries.slice(from, Math.max(from, to));
  return shown(reversed ? found.reverse().slice(0, count) : found.slice(0, count));
}

/** What XREAD asks for. */
export interface StreamRead {
  readonly count: number;
  /** Ms to wait for entries; 0 for ever, `null` not at all. */
  readonly block: number | null;
  /** Streams with the id behind which is read. */
  readonly streams: readonly (readonly [Bytes, Id])[];
}

export function streamRead(db: Database, args: readonly Bytes[]): StreamRead {
  let [count, block, from] = [Number.POSITIVE_INFINITY, null as number | null, 0];
  for (; from < args.length; from += 2) {
    const name = at(args, from).toUpperCase();
    if (name === 'STREAMS') break;
    if (from + 1 >= args.length) throw syntaxError();
    if (name === 'COUNT') count = integer(at(args, from + 1)) || Number.POSITIVE_INFINITY;
    else if (name === 'BLOCK') {
      block = integer(at(args, from + 1), () => new ReplyError('ERR timeout is not an integer or out of range'));
      if (block < 0) throw new ReplyError('ERR timeout is negative');
    } else throw syntaxError();
  }
  const named = args.slice(from + 1);
  if (from >= args.length) throw syntaxError();
  if (named.length === 0 || named.length % 2 === 1)
    throw new ReplyError("ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.");
  const half = named.length / 2;
  const streams = named.slice(0, half).map((key, i) => {
    const text = at(named, half + i);
    const last = db.store.get(key, 'stream')?.value.last ?? FIRST;
    return [key, text === '$' ? last : idOf(text, 0)] as const;
  });
  return { count: count < 0 ? Number.POSITIVE_INFINITY : count, block, streams };
}

/** What stands behind the ids; `null` when nothing does. */
export function readStreams(db: Database, { count, streams }: StreamRead): Reply {
  const found = streams.flatMap(([key, id]) => {
    const stream = db.store.get(key, 'stream')?.value;
    if (stream === undefined) return [];
    const from = firstFrom(stream, next(id));
    const entries = stream.entries.slice(from, from + count);
    return entries.length === 0 ? [] : [[key, shown(entries)]];
  });
  return found.length === 0 ? null : found;
}

export const STREAMS: Commands = {
  XADD: grows(-5, add),
  XLEN: read(2, (db, args) => db.store.get(at(args, 0), 'stream')?.value.entries.length ?? 0),
  XRANGE: read(-4, (db, args) => range(db, args, false)),
  XREVRANGE: read(-4, (db, args) => range(db, args, true)),
  XREAD: read(-4, (db, args) => readStreams(db, streamRead(db, args))),
  XDEL: write(-3, (db, args) => {
    const entry = db.store.get(at(args, 0), 'stream');
    if (entry === undefined) return 0;
    const ids = args.slice(1).map((text) => idText(idOf(text, 0)));
    const kept = entry.value.entries.filter((each) => !ids.includes(idText(each)));
    const removed = entry.value.entries.length - kept.length;
    if (removed > 0) db.store.replaceEntries(entry, kept);
    return removed;
  }),
  XTRIM: write(-4, (db, args) => {
    const { trim, from } = trimOf(args, 1);
    if (from !== args.length) throw new NotModelled('XTRIM with further options');
    const entry = db.store.get(at(args, 0), 'stream');
    return entry === undefined ? 0 : trimmed(db, entry, trim);
  }),
};
