import type { Bytes } from '../bytes.ts';
import type { Scored, SortedSet } from '../data/sorted-set.ts';
import type { Entry } from '../data/values.ts';
import { NotModelled, ReplyError, syntaxError } from '../errors.ts';
import { formatScore, readDouble } from '../numbers.ts';
import { at, checkCount, checkCursor, double, integer, rangeOf } from './arguments.ts';
import { type Commands, type Database, grows, type Reply, read, write } from './command.ts';

const setAt = (db: Database, key: Bytes): SortedSet | undefined => db.store.get(key, 'zset')?.value.set;

function flat(found: readonly Scored[], withScores: boolean): Bytes[] {
  const list: Bytes[] = [];
  for (const { member, score } of found) {
    list.push(member);
    if (withScores) list.push(formatScore(score));
  }
  return list;
}

/** One end of a range of scores. */
interface Bound {
  readonly score: number;
  readonly open: boolean;
}

function boundOf(text: Bytes): Bound {
  const open = text.startsWith('(');
  const digits = open ? text.slice(1) : text;
  // strtod takes an empty text for 0, and here nobody looks whether it was empty.
  const score = digits === '' ? 0 : readDouble(digits);
  if (score === null) throw new ReplyError('ERR min or max is not a float');
  return { score, open };
}

/** Where the members from `min` to `max` stand, as indexes of slice(). */
function byScore(set: SortedSet, min: Bound, max: Bound): [from: number, to: number] {
  const from = set.firstFrom(min.score, min.open);
  return [from, Math.max(from, set.firstFrom(max.score, !max.open))];
}

/** One end of a range of members. */
interface LexBound {
  readonly member: Bytes;
  readonly open: boolean;
}

function lexBoundOf(text: Bytes): LexBound | '-' | '+' {
  if (text === '-' || text === '+') return text;
  if (text[0] !== '[' && text[0] !== '(') throw new ReplyError('ERR min or max not valid string range item');
  return { member: text.slice(1), open: text[0] === '(' };
}

const behind = (member: Bytes, min: LexBound | '-' | '+'): boolean =>
  min === '-' || (min !== '+' && (min.open ? member > min.member : member >= min.member));
const before = (member: Bytes, max: LexBound | '-' | '+'): boolean =>
  max === '+' || (max !== '-' && (max.open ? member < max.member : member <= max.member));

/** The same by members. Where they have several scores Redis answers what it comes across, from the end at which it begins. */
function byLex(
  set: SortedSet,
  min: LexBound | '-' | '+',
  max: LexBound | '-' | '+',
  reversed: boolean,
): [from: number, to: number] {
  const members = set.slice().map(({ member }) => member);
  const [lowest, highest] = [members[0], members.at(-1)];
  if (lowest === undefined || highest === undefined || !behind(highest, min) || !before(lowest, max)) return [0, 0];
  if (reversed) {
    const last = members.findLastIndex((member) => before(member, max));
    const stop = members.findLastIndex((member, i) => i <= last && !behind(member, min));
    return [stop + 1, last + 1];
  }
  const first = members.findIndex((member) => behind(member, min));
  const stop = members.findIndex((member, i) => i >= first && !before(member, max));
  return [first, stop === -1 ? members.length : stop];
}

interface RangeOptions {
  by: 'rank' | 'score' | 'lex';
  reversed: boolean;
  withScores: boolean;
  limit: { offset: number; count: number } | null;
}

function rangeOptions(args: readonly Bytes[], o: Readonly<RangeOptions>, mayChoose: boolean): Readonly<RangeOptions> {
  const options = { ...o };
  for (let i = 3; i < args.length; i++) {
    const name = at(args, i).toUpperCase();
    if (name === 'WITHSCORES') options.withScores = true;
    else if (name === 'LIMIT' && i + 2 < args.length) {
      options.limit = { offset: integer(at(args, i + 1)), count: integer(at(args, i + 2)) };
      i += 2;
    } else if (mayChoose && name === 'REV' && !options.reversed) options.reversed = true;
    else if (mayChoose && name === 'BYSCORE' && options.by === 'rank') options.by = 'score';
    else if (mayChoose && name === 'BYLEX' && options.by === 'rank') options.by = 'lex';
    else throw syntaxError();
  }
  // Redis tells a LIMIT of -1 from none no better.
  if (options.limit !== null && options.limit.count !== -1 && options.by === 'rank')
    throw new ReplyError('ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX');
  if (options.withScores && options.by === 'lex')
    throw new ReplyError('ERR syntax error, WITHSCORES not supported in combination with BYLEX');
  return options;
}

/** A part of a set: by rank, by scores, or by members. */
type Part =
  | { readonly by: 'rank'; readonly start: number; readonly stop: number }
  | { readonly by: 'score'; readonly low: Bound; readonly high: Bound }
  | { readonly by: 'lex'; readonly low: LexBound | '-' | '+'; readonly high: LexBound | '-' | '+' };

/** Reads the bounds before the key, as Redis does, so that a wrong one is refused even without a set. */
function partOf({ by, reversed }: Readonly<RangeOptions>, first: Bytes, second: Bytes): Part {
  if (by === 'rank') return { by, start: integer(first), stop: integer(second) };
  const [min, max] = reversed ? [second, first] : [first, second];
  return by === 'score' ? { by, low: boundOf(min), high: boundOf(max) } : { by, low: lexBoundOf(min), high: lexBoundOf(max) };
}

function placesOf(part: Part, set: SortedSet, reversed: boolean): [from: number, to: number] {
  if (part.by === 'score') return byScore(set, part.low, part.high);
  if (part.by === 'lex') return byLex(set, part.low, part.high, reversed);
  const [from, to] = rangeOf(set.size, part.start, part.stop);
  return reversed ? [set.size - to, set.size - from] : [from, to];
}

const BY_RANK: Readonly<RangeOptions> = { by: 'rank', reversed: false, withScores: false, limit: null };
const BY_SCORE: Readonly<RangeOptions> = { ...BY_RANK, by: 'score' };
const BY_LEX: Readonly<RangeOptions> = { ...BY_RANK, by: 'lex' };
const BY_RANK_REVERSED: Readonly<RangeOptions> = { ...BY_RANK, reversed: true };
const BY_SCORE_REVERSED: Readonly<RangeOptions> = { ...BY_SCORE, reversed: true };

function range(db: Database, args: readonly Bytes[], defaults: Readonly<RangeOptions>, mayChoose = false): Bytes[] {
  const o = args.length === 3 ? defaults : rangeOptions(args, defaults, mayChoose);
  const part = partOf(o, at(args, 1), at(args, 2));
  const set = setAt(db, at(args, 0));
  if (set === undefined) return [];
  let [from, to] = placesOf(part, set, o.reversed);
  if (o.limit !== null && o.by !== 'rank') [from, to] = limited(from, to, o.limit, o.reversed);
  const found = set.slice(from, to);
  return flat(o.reversed ? found.reverse() : found, o.withScores);
}

function limited(
  from: number,
  to: number,
  { offset, count }: { offset: number; count: number },
  reversed: boolean,
): [number, number] {
  if (offset < 0) return [0, 0];
  if (reversed) {
    const end = Math.max(from, to - offset);
    return [count < 0 ? from : Math.max(from, end - count), end];
  }
  const start = Math.min(to, from + offset);
  return [start, count < 0 ? to : Math.min(to, start + count)];
}

interface AddOptions {
  nx: boolean;
  xx: boolean;
  gt: boolean;
  lt: boolean;
  ch: boolean;
  incr: boolean;
}

const ADD_OPTIONS: Readonly<Record<string, keyof AddOptions>> = {
  NX: 'nx',
  XX: 'xx',
  GT: 'gt',
  LT: 'lt',
  CH: 'ch',
  INCR: 'incr',
};

/** Longer ones are scores. */
const optionIn = (text: Bytes): keyof AddOptions | undefined => (text.length > 4 ? undefined : ADD_OPTIONS[text.toUpperCase()]);

const PLAIN = { o: { nx: false, xx: false, gt: false, lt: false, ch: false, incr: false }, from: 1 };

function addOptions(args: readonly Bytes[], incr: boolean): { o: Readonly<AddOptions>; from: number } {
  // One score, which is what most commands add.
  if (!incr && args.length === 3 && optionIn(at(args, 1)) === undefined) return PLAIN;
  const o: AddOptions = { nx: false, xx: false, gt: false, lt: false, ch: false, incr };
  let from = 1;
  for (; from < args.length; from++) {
    const name = optionIn(at(args, from));
    if (name === undefined) break;
    o[name] = true;
  }
  const pairs = args.length - from;
  if (pairs === 0 || pairs % 2 === 1) throw syntaxError();
  if (o.nx && o.xx) throw new ReplyError('ERR XX and NX options at the same time are not compatible');
  if ((o.gt && o.nx) || (o.lt && o.nx) || (o.gt && o.lt))
    throw new ReplyError('ERR GT, LT, and/or NX options at the same time are not compatible');
  if (o.incr && pairs > 2) throw new ReplyError('ERR INCR option supports a single increment-element pair');
  return { o, from };
}

/** The score that a member gets; `null`: the options leave it as it is. */
function scoreFor(o: Readonly<AddOptions>, before: number | undefined, given: number): number | null {
  if (before === undefined) return o.xx ? null : given;
  if (o.nx) return null;
  const score = o.incr ? before + given : given;
  if (Number.isNaN(score)) throw new ReplyError('ERR resulting score is not a number (NaN)');
  if ((o.lt && score >= before) || (o.gt && score <= before)) return null;
  return score;
}

function add(db: Database, args: readonly Bytes[], incr = false): Reply {
  const { o, from } = addOptions(args, incr);
  // A wrong one is refused before any is set.
  const scores: number[] = [];
  for (let i = from; i < args.length; i += 2) scores.push(double(at(args, i)));
  const there = db.store.get(at(args, 0), 'zset');
  if (there === undefined && o.xx) return o.incr ? null : 0;
  const entry = there ?? db.store.make(at(args, 0), 'zset');
  let [added, changed] = [0, 0];
  for (let i = 0; i < scores.length; i++) {
    const member = at(args, from + 2 * i + 1);
    const before = entry.value.set.score(member);
    const after = scoreFor(o, before, scores[i] as number);
    if (after !== null && after !== before) {
      db.store.setScore(entry, member, after);
      changed++;
      if (before === undefined) added++;
    }
    // There is only one pair then.
    if (o.incr) return after === null ? null : formatScore(after);
  }
  return o.ch ? changed : added;
}

/** Members go; a set without any is gone. */
function drop(db: Database, entry: Entry<'zset'>, members: readonly Bytes[]): number {
  let removed = 0;
  for (const member of members) if (db.store.removeScored(entry, member)) removed++;
  if (entry.value.set.size === 0) db.store.remove(entry as unknown as Entry);
  return removed;
}

function dropRange(db: Database, args: readonly Bytes[], o: Readonly<RangeOptions>): number {
  const part = partOf(o, at(args, 1), at(args, 2));
  const entry = db.store.get(at(args, 0), 'zset');
  if (entry === undefined) return 0;
  const [from, to] = placesOf(part, entry.value.set, o.reversed);
  if (from >= to) return 0;
  return drop(
    db,
    entry,
    entry.value.set.slice(from, to).map(({ member }) => member),
  );
}

function pop(db: Database, args: readonly Bytes[], end: 'min' | 'max'): Reply {
  if (args.length > 2) throw syntaxError();
  const count = args.length === 1 ? 1 : integer(at(args, 1), () => new ReplyError('ERR value is out of range, must be positive'));
  if (count < 0) throw new ReplyError('ERR value is out of range, must be positive');
  const entry = db.store.get(at(args, 0), 'zset');
  if (entry === undefined || count === 0) return [];
  const { set } = entry.value;
  const taken = end === 'min' ? set.slice(0, Math.min(count, set.size)) : set.slice(Math.max(0, set.size - count)).reverse();
  drop(
    db,
    entry,
    taken.map(({ member }) => member),
  );
  return flat(taken, true);
}

function rank(db: Database, args: readonly Bytes[], reversed: boolean): Reply {
  if (args.length > 2) throw new NotModelled('ZRANK with options');
  const set = setAt(db, at(args, 0));
  const place = set?.rank(at(args, 1));
  if (set === undefined || place === undefined) return null;
  return reversed ? set.size - 1 - place : place;
}

const scoreOf = (set: SortedSet | undefined, member: Bytes): Bytes | null => {
  const score = set?.score(member);
  return score === undefined ? null : formatScore(score);
};

/** All at once, whatever the count is: where a page of a large one ends is a matter of chance. */
function scan(db: Database, args: readonly Bytes[]): Reply {
  checkCursor(args);
  const set = setAt(db, at(args, 0));
  if (set === undefined) return ['0', []];
  checkCount('ZSCAN', args);
  return ['0', set.slice().flatMap(({ member, score }) => [member, formatScore(score)])];
}

export const SORTED_SETS: Commands = {
  ZADD: grows(-4, (db, args) => add(db, args)),
  ZINCRBY: grows(4, (db, args) => add(db, args, true)),
  ZREM: write(-3, (db, args) => {
    const entry = db.store.get(at(args, 0), 'zset');
    return entry === undefined ? 0 : drop(db, entry, args.slice(1));
  }),
  ZSCORE: read(3, (db, args) => scoreOf(setAt(db, at(args, 0)), at(args, 1))),
  ZMSCORE: read(-3, (db, args) => {
    const set = setAt(db, at(args, 0));
    return args.slice(1).map((member) => scoreOf(set, member));
  }),
  ZCARD: read(2, (db, args) => setAt(db, at(args, 0))?.size ?? 0),
  ZCOUNT: read(4, (db, args) => {
    const [min, max] = [boundOf(at(args, 1)), boundOf(at(args, 2))];
    const set = setAt(db, at(args, 0));
    if (set === undefined) return 0;
    const [from, to] = byScore(set, min, max);
    return to - from;
  }),
  ZRANGE: read(-4, (db, args) => range(db, args, BY_RANK, true)),
  ZREVRANGE: read(-4, (db, args) => range(db, args, BY_RANK_REVERSED)),
  ZRANGEBYSCORE: read(-4, (db, args) => range(db, args, BY_SCORE)),
  ZREVRANGEBYSCORE: read(-4, (db, args) => range(db, args, BY_SCORE_REVERSED)),
  ZRANGEBYLEX: read(-4, (db, args) => range(db, args, BY_LEX)),
  ZSCAN: read(-3, scan),
  ZRANK: read(-3, (db, args) => rank(db, args, false)),
  ZREVRANK: read(-3, (db, args) => rank(db, args, true)),
  ZPOPMIN: write(-2, (db, args) => pop(db, args, 'min')),
  ZPOPMAX: write(-2, (db, args) => pop(db, args, 'max')),
  ZREMRANGEBYSCORE: write(4, (db, args) => dropRange(db, args, BY_SCORE)),
  ZREMRANGEBYRANK: write(4, (db, args) => dropRange(db, args, BY_RANK)),
};
